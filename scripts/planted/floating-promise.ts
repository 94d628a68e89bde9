/**
 * A planted fault: a promise that nobody waits for. Biome's rule against it is young (nursery); where it stops reporting, the
 * suppression below is unused, which is a warning, and warnings fail `npm run verify`.
 */
async function work(): Promise<number> {
  return 1
}

export function forget(): void {
  // biome-ignore lint/nursery/noFloatingPromises: planted, see above
  work()
}
