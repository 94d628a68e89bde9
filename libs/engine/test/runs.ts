/**
 * How many random cases, and which. By default few and always the same (some 20 s in all), so that a red run means a change
 * of the code. TOCSIN_PROPERTY_RUNS multiplies them; TOCSIN_PROPERTY_SEED takes others: a number, or `random`.
 */
const DEFAULT_SEED = 20_260_701

const factor = Number(process.env['TOCSIN_PROPERTY_RUNS'] ?? 1)
const asked = process.env['TOCSIN_PROPERTY_SEED']
const seed = asked === 'random' ? Math.floor(Math.random() * 2 ** 31) : Number(asked ?? DEFAULT_SEED)

console.log(`property tests: TOCSIN_PROPERTY_SEED=${seed} TOCSIN_PROPERTY_RUNS=${factor}`)

export const runs = (cases: number) => ({ numRuns: Math.max(1, Math.round(cases * factor)), seed })
