/** What /health/ready tells: begins as starting; `degraded` names dependencies that are away at present. */
export interface ReadinessState {
  ready(): void
  draining(): void
  /** Adds or removes a named degradation; `on` is the present state, so repeated calls are harmless. */
  degrade(name: string, on: boolean): void
  current(): { readonly status: 'starting' | 'ready' | 'draining'; readonly degraded: readonly string[] }
}

export function createReadiness(): ReadinessState {
  let status: 'starting' | 'ready' | 'draining' = 'starting'
  const degraded = new Set<string>()
  return {
    ready: () => {
      if (status === 'starting') status = 'ready'
    },
    draining: () => {
      status = 'draining'
    },
    degrade: (name, on) => {
      if (on) degraded.add(name)
      else degraded.delete(name)
    },
    current: () => ({ status, degraded: [...degraded].sort() }),
  }
}
