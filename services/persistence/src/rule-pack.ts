import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { RuleRecord } from '@tocsin/contracts'
import { compileRule } from '@tocsin/engine'
import { TerminalError } from '@tocsin/errors'
import { type Pool, transaction } from '@tocsin/postgres'
import { type PackFile, packChanges } from './core/rule-pack.ts'
import { PACK } from './core/rule-step.ts'
import { SYSTEM } from './core/status-change.ts'
import { addToOutbox, ruleRecords } from './repositories/outbox.ts'
import { writeRule } from './repositories/rules.ts'
import { GET_PACK, LOCK_PACK } from './sql/rule-sql.ts'

const FILE = /^[a-z0-9][a-z0-9-]*\.ya?ml$/

/** Reads and compiles every rule of the folder. Throws TerminalError that names file, line and column of what is wrong. */
export async function readRulePack(directory: string): Promise<PackFile[]> {
  const refuse = (why: string, cause?: unknown) =>
    new TerminalError(`The rule pack in ${directory} ${why}`, { code: 'TOCSIN_CONFIG_INVALID', cause })
  const names = await readdir(directory).catch((error: unknown) => {
    throw refuse('cannot be read', error)
  })
  const files = await Promise.all(
    names
      .filter((name) => FILE.test(name))
      .sort()
      .map(async (name) => {
        const content = await readFile(join(directory, name), 'utf8')
        const ruleId = `tocsin.${basename(name).replace(/\.ya?ml$/, '')}`
        const hash = createHash('sha256').update(content).digest('hex')
        try {
          const { title } = compileRule({ ruleId, organizationId: null, version: 1, hash, state: 'active', content })
          return { ruleId, title, content, hash }
        } catch (error) {
          throw refuse(`is not valid: ${String(error)}`, error)
        }
      }),
  )
  if (files.length === 0) throw refuse('holds no rule (*.yml)')
  return files
}

/** Stores what changed and hands it to the outbox; `partitions`: of audit.events. Resolves with the rules that changed. */
export const publishRulePack = (pool: Pool, files: readonly PackFile[], partitions: number): Promise<RuleRecord[]> =>
  transaction(pool, async (query) => {
    await query(LOCK_PACK)
    const rows = await query<Omit<RuleRecord, 'ruleId' | 'organizationId'> & { rule_id: string }>(GET_PACK)
    const stored = rows.map(({ rule_id, ...rest }): RuleRecord => ({ ruleId: rule_id, organizationId: null, ...rest }))
    const changes = packChanges(stored, files)
    const titles = new Map(files.map(({ ruleId, title }) => [ruleId, title]))
    for (const record of changes) {
      const { ruleId, version, state, content, hash } = record
      const rule = { ruleId, organizationId: null, state, owner: PACK, version, inForce: version, draft: null }
      const text = { title: titles.get(ruleId) ?? ruleId, content, hash }
      const act = state === 'retired' ? 'retired' : 'applied'
      await writeRule(
        query,
        { rule, added: { version, act, text } },
        { author: SYSTEM, reason: 'the rule pack', at: new Date().toISOString() },
      )
      await addToOutbox(query, ruleRecords(record, partitions))
    }
    return changes
  })
