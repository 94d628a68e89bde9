import { CATEGORIES } from '@tocsin/contracts'
import type { LogSource } from '@tocsin/sigma'
import { wordsOf } from '../event/event-shape.ts'
import type { EventView } from '../event/event-view.ts'

/** Source formats by the Sigma product (and service) that describes them (detection.md §5). */
const FORMATS: ReadonlyMap<string, string> = new Map([
  ['aws/cloudtrail', 'cloudtrail'],
  ['aws', 'cloudtrail'],
  ['kubernetes/audit', 'kubernetes'],
  ['kubernetes', 'kubernetes'],
  ['github/audit', 'github'],
  ['github', 'github'],
  ['okta/okta', 'okta'],
  ['okta', 'okta'],
  ['linux/sshd', 'sshd'],
  ['linux/auth', 'sshd'],
])

/** What an event must have to come from a source. */
export interface EventSource {
  /** Null: any. */
  readonly category: string | null
  /** Null: any. */
  readonly format: string | null
}

/**
 * `product: tocsin` is every event; a source that nothing provides is null (an idle rule). A category of Sigma's that is none of ours
 * (`application` of kubernetes/audit) says no more than the product does.
 */
export function sourceOf({ product, service, category }: LogSource): EventSource | null {
  const ours = CATEGORIES.find((each) => each === category) ?? null
  if (product === undefined || product === 'tocsin')
    return service === undefined && (category === undefined || ours !== null) ? { category: ours, format: null } : null
  const format = FORMATS.get(service === undefined ? product : `${product}/${service}`)
  return format === undefined ? null : { category: ours, format }
}

/** A test of where an event comes from. */
export function logsourceTest(logsource: LogSource): (event: EventView) => boolean {
  const source = sourceOf(logsource)
  if (source === null) return () => false
  const { category, format } = source
  return (event) =>
    (category === null || wordsOf(event.shape)?.category === category) && (format === null || event.text('format') === format)
}
