import { CATEGORIES } from '@tocsin/contracts'
import type { LogSource } from '@tocsin/sigma'
import { categoryOf } from './event-shape.ts'
import type { EventView } from './event-view.ts'

/** Source formats by the Sigma product (and service) that describes them (detection.md §5). */
const FORMATS: Readonly<Record<string, string>> = {
  'aws/cloudtrail': 'cloudtrail',
  aws: 'cloudtrail',
  'kubernetes/audit': 'kubernetes',
  kubernetes: 'kubernetes',
  'github/audit': 'github',
  github: 'github',
  'okta/okta': 'okta',
  okta: 'okta',
  'linux/sshd': 'sshd',
  'linux/auth': 'sshd',
}

const isCategoryOfOurs = (category: string | undefined): boolean =>
  category === undefined || CATEGORIES.some((each) => each === category)

/** Whether any source gives events of it; a rule for others is idle. */
export function isProvided({ product, category, service }: LogSource): boolean {
  if (!isCategoryOfOurs(category)) return false
  if (product === undefined || product === 'tocsin') return service === undefined
  return FORMATS[service === undefined ? product : `${product}/${service}`] !== undefined
}

/** A test of where an event comes from. `product: tocsin` is every event; an unknown source is none (an idle rule). */
export function logsourceTest({ product, category, service }: LogSource): (event: EventView) => boolean {
  const isCategory = (event: EventView): boolean => category === undefined || categoryOf(event.shape) === category
  if (!isCategoryOfOurs(category)) return () => false
  if (product === undefined) return service === undefined ? isCategory : () => false
  if (product === 'tocsin') return service === undefined ? isCategory : () => false
  const format = FORMATS[service === undefined ? product : `${product}/${service}`]
  return (event) => event.text('format') === format && isCategory(event)
}
