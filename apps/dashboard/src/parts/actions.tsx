import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { Alert } from '@tocsin/contracts'
import { type ReactNode, useState } from 'react'
import { api } from '../api/client.ts'
import type { FoundAlert } from '../api/queries.ts'
import { ApiError } from '../api/request.ts'
import { type LoadedPages, newer, refreshed } from '../live/apply-change.ts'
import type { May } from '../session.tsx'
import { OrderDialog } from './act-dialogs.tsx'
import { type Action, isOffered, NEEDS, type Order } from './acts.ts'
import { StatusBadge } from './badges.tsx'
import { Failure } from './failure.tsx'

/** Acts that need something said first. */
const ASKING: ReadonlySet<Action> = new Set<Action>(['resolve', 'dismiss', 'delegate', 'comment', 'label'])
/** Whether somebody else was first: what is shown is old. */
const isOvertaken = (error: Error) => error instanceof ApiError && (error.status === 409 || error.status === 412)

/** The acts with their dialogs; `begin` acts at once or asks first. `subject`: whom "assign to me" names. */
export function useActions(may: May, subject: string) {
  const client = useQueryClient()
  const [asking, setAsking] = useState<{ readonly alert: Alert; readonly action: Action } | null>(null)
  const [refusal, setRefusal] = useState<Error | null>(null)
  // The socket tells it too, before or after; without it (offline) the answer itself is what is known.
  const show = (given: Alert) => {
    client.setQueriesData<LoadedPages>({ queryKey: ['alerts'] }, (data) => data && refreshed(data, given))
    client.setQueryData<FoundAlert>(['alert', given.id], (found) => found && { ...found, alert: newer(found.alert, given) })
  }
  const mutation = useMutation({
    mutationFn: ({ alert, order }: { readonly alert: Alert; readonly order: Order }) => api.act(alert, order),
    onSuccess: (given) => {
      setAsking(null)
      setRefusal(null)
      show(given)
    },
    onError: async (error, { alert }) => {
      if (asking === null) setRefusal(error)
      if (!isOvertaken(error)) return
      // Whoever was overtaken sees the alert as it is now, and decides again with that version.
      // Where that fails too, the refusal alone says what is known.
      const present = await api.alert(alert.organizationId, alert.id).catch(() => null)
      if (present === null) return
      show(present)
      setAsking((held) => held && { ...held, alert: present })
    },
  })

  const isOpen = (alert: Alert, action: Action) => may(NEEDS[action]) && isOffered(alert, action)
  const begin = (alert: Alert, action: Action) => {
    if (mutation.isPending || !isOpen(alert, action)) return
    mutation.reset()
    setRefusal(null)
    if (ASKING.has(action)) setAsking({ alert, action })
    else if (action === 'assign')
      mutation.mutate({ alert, order: { act: 'assign', assignee: alert.assignee === subject ? null : subject } })
    else if (action === 'acknowledge' || action === 'unacknowledge' || action === 'reopen')
      mutation.mutate({ alert, order: { act: action } })
  }
  const dialogs: ReactNode = (
    <>
      {asking && (
        <OrderDialog
          action={asking.action}
          about={
            <p>
              {asking.alert.title} <StatusBadge status={asking.alert.status} />
            </p>
          }
          organizationId={asking.alert.organizationId}
          labels={asking.alert.labels}
          error={mutation.error}
          blocked={mutation.isPending || !isOffered(asking.alert, asking.action)}
          onClose={() => setAsking(null)}
          onDone={(order) => mutation.mutate({ alert: asking.alert, order })}
        />
      )}
      {refusal && <Failure error={refusal} />}
    </>
  )
  return { begin, dialogs, busy: mutation.isPending, subject, isOpen }
}

const BUTTONS = [
  { action: 'acknowledge', text: 'Acknowledge', hint: 'a' },
  { action: 'resolve', text: 'Resolve', hint: 'r' },
  { action: 'dismiss', text: 'Dismiss', hint: 'd' },
  { action: 'unacknowledge', text: 'Unacknowledge', hint: null },
  { action: 'reopen', text: 'Reopen', hint: 'o' },
  { action: 'assign', text: 'Assign to me', hint: 'm' },
  { action: 'delegate', text: 'Assign', hint: null },
  { action: 'comment', text: 'Comment', hint: 'c' },
  { action: 'label', text: 'Labels', hint: 'l' },
] as const satisfies readonly { readonly action: Action; readonly text: string; readonly hint: string | null }[]

export function ActionButtons({
  alert,
  actions: { begin, busy, subject, isOpen },
}: {
  readonly alert: Alert
  readonly actions: Pick<ReturnType<typeof useActions>, 'begin' | 'busy' | 'subject' | 'isOpen'>
}) {
  return (
    <div className="actions">
      {BUTTONS.filter(({ action }) => isOpen(alert, action)).map(({ action, text, hint }) => {
        const label = action === 'assign' && alert.assignee === subject ? 'Assign to nobody' : text
        return (
          <button
            key={action}
            type="button"
            disabled={busy}
            aria-label={label}
            aria-keyshortcuts={hint ?? undefined}
            className={action === 'acknowledge' ? 'primary' : undefined}
            onClick={() => begin(alert, action)}
          >
            {label} {hint && <kbd>{hint}</kbd>}
          </button>
        )
      })}
    </div>
  )
}
