import { notFound } from '@tocsin/access'
import { OPERATIONS_TABLE } from '@tocsin/contracts'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization } from '@tocsin/postgres'
import { readOrganization } from '../repositories/organizations.ts'
import { authorizeCaller } from './authentication.ts'
import type { RuleRoutes } from './rules.ts'

/** People wait for these answers. */
const TRIAL_LIMIT_MS = 10_000

/** Texts that are tried and not kept: lint, test, explain. */
export function ruleTrialRoutes(app: HttpServer, { pool, workers }: Pick<RuleRoutes, 'pool' | 'workers'>): void {
  const check = async (
    { content, ruleId }: { readonly content: string; readonly ruleId?: string | undefined },
    withTests: boolean,
  ) => {
    const [checked] = await workers.run('check', { rules: [{ ruleId: ruleId ?? null, content }], withTests }, TRIAL_LIMIT_MS)
    if (checked === undefined) throw new Error('a text was checked without an answer')
    return checked
  }

  route(app, OPERATIONS_TABLE.lintRule, async ({ query: { organizationId }, body, request }) => {
    authorizeCaller(request, { organizationId, permission: 'rules:read', what: 'organization' })
    return check(body, false)
  })

  route(app, OPERATIONS_TABLE.testRule, async ({ query: { organizationId }, body, request }) => {
    authorizeCaller(request, { organizationId, permission: 'rules:read', what: 'organization' })
    const { tests, ...checked } = await check(body, true)
    return {
      ...checked,
      passed: checked.faults.length === 0 && tests.every(({ faults }) => faults.length === 0),
      tests: tests.map(({ name, faults }) => ({ name, differences: faults })),
    }
  })

  route(app, OPERATIONS_TABLE.explainRule, async ({ query: asked, body, request }) => {
    const { organizationId } = authorizeCaller(request, {
      organizationId: asked.organizationId,
      permission: 'rules:read',
      what: 'organization',
    })
    const state = await inOrganization(pool, organizationId, (query) => readOrganization(query, organizationId), 'snapshot')
    if (state === null) throw notFound('organization')
    const { content, ruleId = null, events } = body
    return workers.run(
      'explain',
      { rule: { ruleId, content }, events, settings: state.settings, now: Date.now() },
      TRIAL_LIMIT_MS,
    )
  })
}
