/** The part of a key after the field's name: `CommandLine|contains|all`. Chained from left to right. */

export type ComparisonMode = 'lt' | 'lte' | 'gt' | 'gte'
export type Mode = 'equals' | 'contains' | 'startswith' | 'endswith' | 're' | 'cidr' | 'exists' | ComparisonMode

export interface Modifiers {
  readonly mode: Mode
  readonly all: boolean
  readonly cased: boolean
  readonly negated: boolean
  readonly fieldref: boolean
  readonly ignoreCase: boolean
  readonly multiline: boolean
  readonly dotAll: boolean
}

type Flag = Exclude<keyof Modifiers, 'mode'>

const MODES = [
  'contains',
  'startswith',
  'endswith',
  're',
  'cidr',
  'exists',
  'lt',
  'lte',
  'gt',
  'gte',
] as const satisfies readonly Mode[]

const FLAGS: Readonly<Record<string, Flag>> = {
  all: 'all',
  cased: 'cased',
  neq: 'negated',
  fieldref: 'fieldref',
  i: 'ignoreCase',
  ignorecase: 'ignoreCase',
  m: 'multiline',
  multiline: 'multiline',
  s: 'dotAll',
  dotall: 'dotAll',
}

/** Part of Sigma, not of this build: refused so that a rule never quietly means something else. */
const LATER: ReadonlySet<string> = new Set([
  'base64',
  'base64offset',
  'utf16le',
  'utf16be',
  'utf16',
  'wide',
  'windash',
  'expand',
  'minute',
  'hour',
  'day',
  'week',
  'month',
  'year',
])

const TEXT_MODES: ReadonlySet<Mode> = new Set(['equals', 'contains', 'startswith', 'endswith'])
const EXPRESSION_FLAGS = ['ignoreCase', 'multiline', 'dotAll'] as const

const isMode = (name: string): name is (typeof MODES)[number] => (MODES as readonly string[]).includes(name)

/** The modifiers of a key, or the sentence that refuses them. */
export function parseModifiers(names: readonly string[]): Modifiers | string {
  let mode: Mode = 'equals'
  const flags: Record<Flag, boolean> = {
    all: false,
    cased: false,
    negated: false,
    fieldref: false,
    ignoreCase: false,
    multiline: false,
    dotAll: false,
  }
  for (const name of names) {
    const flag = Object.hasOwn(FLAGS, name) ? FLAGS[name] : undefined
    if (isMode(name)) {
      if (mode !== 'equals') return `The modifiers "${mode}" and "${name}" cannot be combined.`
      mode = name
    } else if (flag !== undefined) {
      if (EXPRESSION_FLAGS.some((each) => each === flag) && mode !== 're') return `The modifier "${name}" must follow "re".`
      if (flags[flag]) return `The modifier "${name}" is given twice.`
      flags[flag] = true
    } else if (LATER.has(name)) return `The modifier "${name}" is not supported yet.`
    else return `The modifier "${name}" is not known.`
  }
  if (flags.fieldref && !TEXT_MODES.has(mode)) return `The modifiers "fieldref" and "${mode}" cannot be combined.`
  if (flags.cased && !TEXT_MODES.has(mode)) return `The modifiers "cased" and "${mode}" cannot be combined.`
  if (mode === 'exists' && (flags.all || flags.negated)) return 'The modifier "exists" takes true or false and no other modifier.'
  return { mode, ...flags }
}
