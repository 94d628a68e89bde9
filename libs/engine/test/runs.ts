/** How many random cases: few by default (some 20 s in all), more by TOCSIN_PROPERTY_RUNS (a factor), repeatable by TOCSIN_PROPERTY_SEED. */
const factor = Number(process.env['TOCSIN_PROPERTY_RUNS'] ?? 1)
const seed = Number(process.env['TOCSIN_PROPERTY_SEED'] ?? Math.floor(Math.random() * 2 ** 31))

console.log(`property tests: TOCSIN_PROPERTY_SEED=${seed} TOCSIN_PROPERTY_RUNS=${factor}`)

export const runs = (cases: number) => ({
  numRuns: Math.max(1, Math.round(cases * factor)),
  seed,
  endOnFailure: process.env['TOCSIN_PROPERTY_SHRINK'] === 'no',
})
