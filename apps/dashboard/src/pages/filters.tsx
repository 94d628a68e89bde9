import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { type InputHTMLAttributes, useEffect, useId, useRef } from 'react'
import { rulesQuery } from '../api/rule-queries.ts'
import { type AlertFilter, type AlertOrder, isFiltered, readSearch, type Search } from '../filter.ts'
import { useSignedIn } from '../session.tsx'
import { ORDERS, SEVERITIES, SORTS, STATUSES, TYPES } from '../vocabulary.ts'

const GROUPS = [
  { name: 'status', label: 'Status', values: STATUSES },
  { name: 'severity', label: 'Severity', values: SEVERITIES },
  { name: 'type', label: 'Type', values: TYPES },
] as const

/** `sensitive`: looks into what a role without sensitive:read may not read, so it is not offered there. */
const WORDS = [
  { name: 'rule', label: 'Rule', maxLength: 200, sensitive: false },
  { name: 'subject', label: 'Subject', maxLength: 1_024, sensitive: true },
  { name: 'assignee', label: 'Assignee', maxLength: 255, sensitive: false },
  { name: 'tag', label: 'Tag or label', maxLength: 200, sensitive: false },
  { name: 'source', label: 'Source', maxLength: 50, sensitive: false },
] as const
const TIMES = [
  { name: 'from', label: 'Raised from' },
  { name: 'to', label: 'and before' },
] as const
const SORT_NAMES = { created: 'creation', updated: 'last change', severity: 'severity', count: 'events' } as const
const ORDER_NAMES = { desc: 'highest or newest first', asc: 'lowest or oldest first' } as const

/** A time as `datetime-local` has it: in the reader's zone, to the minute. */
const localTime = (at: string): string =>
  new Date(Date.parse(at) - new Date(at).getTimezoneOffset() * 60_000).toISOString().slice(0, 16)

/** All of it lives in the address. Toggles: none pressed in a group means all. Words count when Enter is pressed or the field is left. */
export function Filters({ filter, order }: { readonly filter: AlertFilter; readonly order: AlertOrder }) {
  const { may, organization } = useSignedIn()
  const navigate = useNavigate()
  const rules = useQuery({ ...rulesQuery(organization.organizationId), staleTime: 60_000 })
  const known = useId()
  const set = (name: keyof Search, value: unknown) =>
    void navigate({ to: '/', search: (search) => readSearch({ ...search, [name]: value }), replace: true })
  const toggle = (name: (typeof GROUPS)[number]['name'], value: string) => {
    const held: readonly string[] = filter[name] ?? []
    set(name, held.includes(value) ? held.filter((each) => each !== value) : [...held, value])
  }
  const sensitive = may('sensitive:read')
  const words = WORDS.filter((each) => sensitive || !each.sensitive)
  const isOpen = filter.merged === true || [...words, ...TIMES].some(({ name }) => filter[name] !== undefined)
  return (
    <search className="filters" aria-label="Filters">
      {sensitive && (
        <Field
          type="search"
          label="Search"
          name="q"
          value={filter.q ?? ''}
          maxLength={200}
          placeholder="words of title, group, rule, tags"
          onSet={(value) => set('q', value)}
        />
      )}
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
      <details open={isOpen || undefined}>
        <summary>More filters</summary>
        <div className="fields">
          {words.map(({ name, label, maxLength }) => (
            <Field
              key={name}
              type="search"
              label={label}
              value={filter[name] ?? ''}
              maxLength={maxLength}
              list={name === 'rule' ? known : undefined}
              onSet={(value) => set(name, value)}
            />
          ))}
          {TIMES.map(({ name, label }) => (
            <Field
              key={name}
              type="datetime-local"
              label={label}
              value={filter[name] === undefined ? '' : localTime(filter[name])}
              onSet={(value) => set(name, value)}
            />
          ))}
          <button
            type="button"
            className="toggle"
            aria-pressed={filter.merged ?? false}
            onClick={() => set('merged', filter.merged ? undefined : true)}
          >
            also merged into others
          </button>
          <datalist id={known}>
            {rules.data?.items.map(({ ruleId, title }) => (
              <option key={ruleId} value={ruleId}>
                {title}
              </option>
            ))}
          </datalist>
        </div>
      </details>
      <label>
        Sort by{' '}
        <select value={order.sort} onChange={({ target: { value } }) => set('sort', value)}>
          {SORTS.map((sort) => (
            <option key={sort} value={sort}>
              {SORT_NAMES[sort]}
            </option>
          ))}
        </select>
      </label>
      <select aria-label="Order" value={order.order} onChange={({ target: { value } }) => set('order', value)}>
        {ORDERS.map((each) => (
          <option key={each} value={each}>
            {ORDER_NAMES[each]}
          </option>
        ))}
      </select>
      {isFiltered(filter) && (
        <button
          type="button"
          className="plain"
          onClick={() => void navigate({ to: '/', search: ({ org }) => (org === undefined ? {} : { org }), replace: true })}
        >
          Show all
        </button>
      )}
    </search>
  )
}

/** A text of the address: follows it, and changes it when Enter is pressed or the field is left. */
function Field({
  label,
  value,
  onSet,
  ...input
}: Omit<InputHTMLAttributes<HTMLInputElement>, 'value'> & {
  readonly label: string
  readonly value: string
  readonly onSet: (value: string) => void
}) {
  const element = useRef<HTMLInputElement>(null)
  useEffect(() => {
    if (element.current !== null) element.current.value = value
  }, [value])
  const commit = (text: string) => {
    if (text.trim() !== value) onSet(text)
  }
  return (
    <label className="field">
      {label}
      <input
        {...input}
        ref={element}
        defaultValue={value}
        onBlur={({ target }) => commit(target.value)}
        onKeyDown={({ key, currentTarget }) => {
          if (key === 'Enter') commit(currentTarget.value)
        }}
      />
    </label>
  )
}
