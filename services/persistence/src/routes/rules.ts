import { notFound } from '@tocsin/access'
import {
  type AlertStatistics,
  HEADERS,
  type ListedRule,
  OPERATIONS_TABLE,
  type Permission,
  type Rule,
  type RuleVersionText,
  type RuleWithText,
} from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import { inOrganization, type Pool, type Query } from '@tocsin/postgres'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { API, etagOf, type KnownRule, PACK, type RuleCommand } from '../core/rule-step.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { readOrganization } from '../repositories/organizations.ts'
import { holding, listRules, listVersions, lockRules, type RulePair, readRulePair, readVersion } from '../repositories/rules.ts'
import type { RuleWorkers } from '../rule-work/rule-workers.ts'
import { applyFolder } from '../rules/apply-folder.ts'
import { changeRule, knownRule, newRule, type RuleActor, refuseForeign, refuseStale, textInForce } from '../rules/change-rule.ts'
import { checkTexts } from '../rules/check-texts.ts'
import { unifiedDiff } from '../rules/diff.ts'
import { authorizeCaller } from './authentication.ts'
import { headerText, originOf } from './headers.ts'
import { rememberedStatistics, type StatisticsRoutes } from './statistics.ts'
import { write } from './write.ts'

export interface RuleRoutes {
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly workers: RuleWorkers
}

interface Asked {
  readonly params: { readonly ruleId: string }
  readonly query: { readonly organizationId?: string | undefined }
  readonly request: FastifyRequest
}

/** How a command is made of what is there; null `known`: neither the organization nor the installation has such a rule. */
type Decide = (query: Query, pair: RulePair, known: KnownRule | null) => Promise<{ known: KnownRule; command: RuleCommand }>

export function ruleRoutes(app: HttpServer, { pool, cipher, workers, cache }: RuleRoutes & StatisticsRoutes): void {
  const reading = <T>(
    { query: asked, request }: Omit<Asked, 'params'>,
    read: (query: Query, organizationId: string) => Promise<T>,
  ) => {
    const { organizationId } = authorized(request, asked.organizationId, 'rules:read')
    return inOrganization(pool, organizationId, (query) => read(query, organizationId), 'snapshot')
  }
  const readText = (asked: Asked, version: number): Promise<RuleVersionText> =>
    reading(asked, async (query, organizationId) => {
      const rule = found(await readRulePair(query, organizationId, asked.params.ruleId))
      const text = await readVersion(query, rule.organizationId, rule.ruleId, version)
      if (text === null) throw notFound('version of the rule')
      return text
    })

  route(app, OPERATIONS_TABLE.listRules, async (asked) => {
    const { rules, organizationId } = await reading(asked, async (query, id) => ({
      rules: await listRules(query, id),
      organizationId: id,
    }))
    const { byRule } = await rememberedStatistics({ pool, cache }, organizationId, { from: null, to: null })
    return { items: withFires(rules, byRule) }
  })
  route(app, OPERATIONS_TABLE.getRule, async (asked) => {
    const rule = await reading(asked, async (query, id) => found(await readRulePair(query, id, asked.params.ruleId)))
    return withTag(asked.reply, rule)
  })
  route(app, OPERATIONS_TABLE.listRuleVersions, (asked) =>
    reading(asked, async (query, id) => {
      const rule = found(await readRulePair(query, id, asked.params.ruleId))
      return { items: await listVersions(query, rule.organizationId, rule.ruleId) }
    }),
  )
  route(app, OPERATIONS_TABLE.getRuleVersion, (asked) => readText(asked, asked.params.version))
  route(app, OPERATIONS_TABLE.diffRule, async (asked) => {
    const { from, to } = asked.query
    const [old, fresh] = [await readText(asked, from), await readText(asked, to)]
    return { from, to, diff: unifiedDiff(asked.params.ruleId, old, fresh) }
  })

  const change = async (asked: Asked & { readonly reply: FastifyReply }, reason: string, decide: Decide) => {
    const { request, params } = asked
    const { organizationId, actor } = authorized(request, asked.query.organizationId, 'rules:write')
    const { reply } = asked
    const rule = await write({ pool, cipher, request, reply, organizationId, actor }, async (query) => {
      await lockRules(query, organizationId)
      const pair = await readRulePair(query, organizationId, params.ruleId)
      refuseStale(holding([pair.own, pair.pack]), headerText(request, 'if-match'))
      const { known, command } = await decide(query, pair, knownRule(pair, organizationId))
      await changeRule(query, cipher, known, command, await actorOf(query, { request, organizationId, actor, reason }))
      return found(await readRulePair(query, organizationId, params.ruleId))
    })
    return withTag(asked.reply, rule)
  }

  route(app, OPERATIONS_TABLE.saveRule, async (asked) => {
    const { ruleId } = asked.params
    const { organizationId } = authorized(asked.request, asked.query.organizationId, 'rules:write')
    refuseId(ruleId)
    const texts = await checkTexts(workers, [{ ruleId, content: asked.body.content }], false)
    return change(asked, asked.body.reason, async (_query, _pair, known) => {
      const text = texts.get(ruleId)
      if (text === undefined) throw new Error(`the text of ${ruleId} was not checked`)
      if (known !== null) refuseForeign(known)
      const rule = known ?? newRule(ruleId, organizationId)
      return {
        known: rule.state === 'retired' && rule.owner !== PACK ? { ...rule, owner: API } : rule,
        command: { act: 'save', text, how: 'saved' },
      }
    })
  })

  route(app, OPERATIONS_TABLE.revertRule, (asked) =>
    change(asked, asked.body.reason, async (query, pair, known) => {
      if (known === null) throw notFound('rule')
      refuseForeign(known)
      const text = await readVersion(query, pair.own?.organizationId ?? null, known.ruleId, asked.body.version)
      if (text === null) throw notFound('version of the rule')
      return { known, command: { act: 'save', text, how: 'reverted' } }
    }),
  )

  route(app, OPERATIONS_TABLE.activateRule, async (asked) => {
    const { ruleId } = asked.params
    // The tests take time, so they come before the transaction; that the draft is still the same is looked at in it.
    const { organizationId } = authorized(asked.request, asked.query.organizationId, 'rules:write')
    const before = await inOrganization(pool, organizationId, (query) => readRulePair(query, organizationId, ruleId), 'snapshot')
    const draft = before.own === null || before.own.draft === null ? null : before.own.text
    if (draft !== null) await checkTexts(workers, [{ ruleId, content: draft.content }], true)
    return change(asked, asked.body.reason, async (_query, pair, known) => {
      if (known === null) throw notFound('rule')
      refuseForeign(known)
      if (pair.own !== null && (pair.own.draft ?? 0) !== (before.own?.draft ?? 0))
        throw new HttpProblem(409, 'OVERTAKEN', 'The draft changed while its tests ran. Look at it again, then decide.')
      return { known, command: { act: 'activate', text: draft } }
    })
  })

  for (const [act, operation] of [
    ['pause', OPERATIONS_TABLE.pauseRule],
    ['resume', OPERATIONS_TABLE.resumeRule],
    ['retire', OPERATIONS_TABLE.retireRule],
  ] as const)
    route(app, operation, (asked) =>
      change(asked, asked.body.reason, async (query, pair, known) => {
        if (known === null) throw notFound('rule')
        // Whoever is woken at night must be able to stop a rule, whoever owns it.
        if (act === 'retire') refuseForeign(known)
        return { known, command: { act, text: await textInForce(query, pair, known) } }
      }),
    )

  route(app, OPERATIONS_TABLE.applyRules, async ({ query: asked, body, request }) => {
    const { organizationId, actor } = authorized(request, asked.organizationId, 'rules:write')
    for (const { ruleId } of body.rules) refuseId(ruleId)
    await cipher.load([organizationId])
    return applyFolder({ pool, cipher, workers }, body, organizationId, (query) =>
      actorOf(query, { request, organizationId, actor, reason: body.reason }),
    )
  })
}

const authorized = (request: FastifyRequest, organizationId: string | undefined, permission: Permission) =>
  authorizeCaller(request, { organizationId, permission, what: 'rule' })

/** Alerts know a rule by the beginning of its id. */
const MAX_FIRED_ID = 200
const NEVER_FIRED = { fires: 0, falsePositiveShare: null, lastFired: null }

function withFires(rules: readonly Rule[], byRule: AlertStatistics['byRule']): ListedRule[] {
  const fired = new Map(byRule.map((each) => [each.ruleId, each]))
  return rules.map((rule) => {
    const { fires, falsePositiveShare, lastFired } = fired.get(rule.ruleId.slice(0, MAX_FIRED_ID)) ?? NEVER_FIRED
    return { ...rule, fires, falsePositiveShare, lastFired }
  })
}

function found({ own, pack }: RulePair): RuleWithText {
  const rule = holding([own, pack])
  if (rule === null) throw notFound('rule')
  return rule
}

function withTag(reply: FastifyReply, rule: RuleWithText): RuleWithText {
  reply.header('etag', etagOf(rule))
  return rule
}

async function actorOf(
  query: Query,
  who: { readonly request: FastifyRequest; readonly organizationId: string; readonly actor: string; readonly reason: string },
): Promise<RuleActor> {
  const { request, organizationId, actor, reason } = who
  const organization = await readOrganization(query, organizationId)
  if (organization === null) throw notFound('organization')
  const traceparent = headerText(request, HEADERS.traceparent)
  return { organizationId, partition: organization.partition, actor, ...originOf(request), reason, traceparent }
}

/** Ids of the installation's rules, now and to come, and names of other addresses below /api/rules. */
const RESERVED = /^tocsin\.|^backtests$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]|^\s|\s$/

function refuseId(ruleId: string): void {
  if (RESERVED.test(ruleId))
    throw new HttpProblem(409, 'OWNED_BY_INSTALLATION', `${ruleId} is kept for the installation. Use another id.`)
  if (UNPRINTABLE.test(ruleId))
    throw new HttpProblem(422, 'INVALID_RULE_ID', 'The id has control characters, or blanks at its ends.')
}
