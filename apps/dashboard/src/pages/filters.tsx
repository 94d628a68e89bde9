import { useNavigate } from '@tanstack/react-router'
import { type AlertFilter, isFiltered, type Search } from '../filter.ts'
import { SEVERITIES, STATUSES, TYPES } from '../vocabulary.ts'

const GROUPS = [
  { name: 'status', label: 'Status', values: STATUSES },
  { name: 'severity', label: 'Severity', values: SEVERITIES },
  { name: 'type', label: 'Type', values: TYPES },
] as const

/** Toggles that live in the address; none pressed in a group means all. */
export function Filters({ filter }: { readonly filter: AlertFilter }) {
  const navigate = useNavigate()
  const change = (patch: (search: Search) => Search) => void navigate({ to: '/', search: patch, replace: true })
  const toggle = (name: 'status' | 'severity' | 'type', value: string) =>
    change((search) => {
      const held: readonly string[] = search[name] ?? []
      const next = held.includes(value) ? held.filter((each) => each !== value) : [...held, value]
      const { [name]: _dropped, ...rest } = search
      return next.length === 0 ? rest : ({ ...rest, [name]: next } as Search)
    })
  return (
    <section className="filters" aria-label="Filters">
      {GROUPS.map(({ name, label, values }) => (
        <fieldset key={name}>
          <legend>{label}</legend>
          {values.map((value) => (
            <button
              key={value}
              type="button"
              className="toggle"
              aria-pressed={(filter[name] as readonly string[] | undefined)?.includes(value) ?? false}
              onClick={() => toggle(name, value)}
            >
              {value.toLowerCase()}
            </button>
          ))}
        </fieldset>
      ))}
      {isFiltered(filter) && (
        <button type="button" className="plain" onClick={() => change(({ org }) => (org === undefined ? {} : { org }))}>
          Show all
        </button>
      )}
    </section>
  )
}
