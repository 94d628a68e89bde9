import { type AlertFigures, AuditEvent, type Evidence } from '@tocsin/contracts'
import { compileSelectionData, plainReader } from '@tocsin/sigma'

export type LookedAtAlert = Pick<AlertFigures, 'id' | 'group'> & { readonly evidence: readonly Evidence[] }

export interface HiddenIds {
  /** Of which every evidence event matches. */
  readonly hidden: readonly string[]
  /** Of which some do. */
  readonly partly: number
  readonly events: number
  /** Asked for by the matcher, and not in evidence. */
  readonly unknownFields: readonly string[]
}

/** What a held snapshot still tells of its event, letter by letter (subject and target may be of several fields). */
const EVIDENCE_FIELDS = ['id', 'timestamp', 'action', 'outcome', 'ipAddress', 'recordCount', 'dataClassification']
/** Every event of an alert has the values of its group; these names mean the same there as in an event. */
const GROUP_FIELDS: ReadonlySet<string> = new Set([...Object.keys(AuditEvent.properties), 'ipAddress', 'sessionId'])

/** Which alerts a matcher (docs/detection.md D62) would have kept from being raised. @throws SelectionError */
export function hiddenAlerts(match: unknown, alerts: readonly LookedAtAlert[]): HiddenIds {
  compileSelectionData(match)
  const maps = Array.isArray(match) ? match : [match]
  const unknown = new Set<string>()
  const hidden: string[] = []
  let [partly, events] = [0, 0]
  for (const { id, group, evidence } of alerts) {
    const shared = Object.fromEntries(Object.entries(group).filter(([name]) => GROUP_FIELDS.has(name)))
    const known = new Set([...EVIDENCE_FIELDS, ...Object.keys(shared)])
    // A map that asks for more than is known here, be it for its absence, is not decided: it counts as not matching.
    const decidable = maps.filter((map) => {
      const missing = fieldsOf(map).filter((field) => !known.has(field))
      for (const field of missing) unknown.add(field)
      return missing.length === 0
    })
    events += evidence.length
    if (decidable.length === 0 || evidence.length === 0) continue
    const { matches } = compileSelectionData(decidable)
    const count = evidence.filter((event) => matches(plainReader({ ...eventOf(event), ...shared }))).length
    if (count === evidence.length) hidden.push(id)
    else if (count > 0) partly++
  }
  return { hidden, partly, events, unknownFields: [...unknown].sort() }
}

const fieldsOf = (map: unknown): string[] => Object.keys(map as object).map((key) => key.split('|')[0] ?? key)

const eventOf = ({ id, t, action, outcome, ip, recordCount, classification }: Evidence): object => ({
  id,
  timestamp: t,
  action,
  outcome,
  ipAddress: ip,
  recordCount,
  dataClassification: classification,
})
