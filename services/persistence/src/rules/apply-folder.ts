/** `POST /api/rules/apply`: a folder's rules in one transaction, all of them or none. */
import type { ApplyRules, RulePlan } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { inOrganization, type Pool, type Query } from '@tocsin/postgres'
import { type FolderPlan, planFolder } from '../core/folder-plan.ts'
import { folderOwner } from '../core/rule-step.ts'
import type { FieldCipher } from '../protection/field-cipher.ts'
import { listPresentRules, lockRules, readRulePair } from '../repositories/rules.ts'
import type { RuleWorkers } from '../rule-work/rule-workers.ts'
import { changeRule, knownRule, newRule, type RuleActor, textInForce } from './change-rule.ts'
import { checkTexts } from './check-texts.ts'

export interface ApplyParts {
  readonly pool: Pool
  readonly cipher: FieldCipher
  readonly workers: RuleWorkers
}

/** The organization's key must be loaded. @throws HttpProblem 409 OWNED_BY_OTHERS, 422 as checkTexts, 422 RULE_TWICE */
export async function applyFolder(
  { pool, cipher, workers }: ApplyParts,
  { folder, rules, dryRun = false }: ApplyRules,
  organizationId: string,
  actorOf: (query: Query) => Promise<RuleActor>,
): Promise<RulePlan> {
  const twice = rules.find(({ ruleId }, index) => rules.findIndex((other) => other.ruleId === ruleId) !== index)
  if (twice !== undefined)
    throw new HttpProblem(422, 'RULE_TWICE', `Two texts are called ${twice.ruleId}: give one of them another id.`)
  const texts = rules.length === 0 ? new Map() : await checkTexts(workers, rules, true)
  return inOrganization(pool, organizationId, async (query) => {
    await lockRules(query, organizationId)
    const plan = planFolder(folder, texts, await listPresentRules(query, organizationId))
    refuseForeignRules(folder, plan)
    if (!dryRun) {
      const by = await actorOf(query)
      for (const { ruleId, change, text } of plan.items) {
        if (text === null && change !== 'retired') continue
        const pair = await readRulePair(query, organizationId, ruleId)
        const known = knownRule(pair, organizationId) ?? newRule(ruleId, organizationId)
        await changeRule(
          query,
          cipher,
          known,
          text === null
            ? { act: 'retire', text: await textInForce(query, pair, known) }
            : { act: 'apply', text, owner: folderOwner(folder) },
          by,
        )
      }
    }
    return { folder, applied: !dryRun, items: plan.items.map(({ ruleId, title, change }) => ({ ruleId, title, change })) }
  })
}

function refuseForeignRules(folder: string, { foreign }: FolderPlan): void {
  if (foreign.length === 0) return
  const named = foreign.map(({ ruleId, owner }) => `${ruleId} (${owner})`).join(', ')
  throw new HttpProblem(
    409,
    'OWNED_BY_OTHERS',
    `The folder ${folder} does not own ${named}. Retire them first, or give the folder's rules other ids; nothing was applied.`,
    { extra: { foreign: foreign.map(({ ruleId, owner }) => ({ ruleId, owner })) } },
  )
}
