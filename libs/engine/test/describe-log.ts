/** A log in lines, short enough to read in a failing case. */
import type { ModelRecord } from './model-types.ts'

export const describeLog = (log: readonly ModelRecord[]): string => log.map(describeRecord).join('\n')

function describeRecord(record: ModelRecord, offset: number): string {
  const start = `${offset} ${new Date(record.appendTime).toISOString()}`
  if (record.kind === 'control') {
    const { control } = record
    if (control.kind === 'rule') {
      const { ruleId, version, state, content } = control.rule
      return `${start} rule ${ruleId} ${version} ${state}${ruleId.startsWith('test.') ? content.slice(content.lastIndexOf('---')) : ''}`
    }
    if (control.kind === 'organizationDeleted') return `${start} deleted ${control.organizationId}`
    return `${start} settings ${control.organization.version} ${JSON.stringify(control.organization.settings)}`
  }
  if (record.kind !== 'event') return `${start} ${record.kind}`
  const { id, timestamp, organizationId, category, operation, outcome, principalId, sessionContext, recordCount } = record.event
  const { action, details, targetResourceId } = record.event
  const what = action === `${category}.${operation}` ? `${category}/${operation}/${outcome}` : action
  return `${start} ${id} t=${timestamp} ${organizationId.slice(0, 1)} ${what} ${JSON.stringify({ principalId, targetResourceId, ...sessionContext, recordCount, ...details })}`
}
