const BASE_MS = 100
const CAP_MS = 10_000

/** Exponential back-off with jitter, milliseconds: after the first failure 50 to 100 ms, later up to 10 s. */
export function backoffMs(failures: number, random: () => number = Math.random): number {
  const most = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(failures - 1, 20))
  return Math.ceil(most / 2 + (random() * most) / 2)
}
