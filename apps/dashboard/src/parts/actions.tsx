import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { Alert } from '@tocsin/contracts'
import { type ReactNode, useState } from 'react'
import { ApiError, api } from '../api/client.ts'
import type { FoundAlert } from '../api/queries.ts'
import { type LoadedPages, newer, refreshed } from '../live/apply-change.ts'
import { type Asking, isAsking, OrderDialog } from './act-dialogs.tsx'
import { type Action, isOffered, type Order } from './acts.ts'
import { Failure } from './failure.tsx'

/** Whether somebody else was first: what is shown is old. */
const isOvertaken = (error: Error) => error instanceof ApiError && (error.status === 409 || error.status === 412)

/** The acts with their dialogs; `begin` acts at once or asks first. `subject`: whom "assign to me" names. */
export function useActions(allowed: boolean, subject: string) {
  const client = useQueryClient()
  const [asking, setAsking] = useState<{ readonly alert: Alert; readonly action: Asking } | null>(null)
  const [refusal, setRefusal] = useState<Error | null>(null)
  const mutation = useMutation({
    mutationFn: ({ alert, order }: { readonly alert: Alert; readonly order: Order }) => api.act(alert, order),
    onSuccess: (given) => {
      setAsking(null)
      setRefusal(null)
      // The socket tells it too, before or after; without it (offline) the answer itself is what is known.
      client.setQueriesData<LoadedPages>({ queryKey: ['alerts'] }, (data) => data && refreshed(data, given))
      client.setQueryData<FoundAlert>(['alert', given.id], (found) => found && { ...found, alert: newer(found.alert, given) })
    },
    onError: (error) => {
      if (asking === null) setRefusal(error)
      if (isOvertaken(error)) void client.invalidateQueries({ queryKey: ['alert'] })
    },
  })

  const begin = (alert: Alert, action: Action) => {
    if (!allowed || mutation.isPending || !isOffered(alert, action)) return
    mutation.reset()
    setRefusal(null)
    if (isAsking(action)) setAsking({ alert, action })
    else if (action === 'assign')
      mutation.mutate({ alert, order: { action, assignee: alert.assignee === subject ? null : subject } })
    else mutation.mutate({ alert, order: { action } })
  }
  const dialogs: ReactNode = (
    <>
      {asking && (
        <OrderDialog
          alert={asking.alert}
          action={asking.action}
          error={mutation.error}
          busy={mutation.isPending}
          onClose={() => setAsking(null)}
          onDone={(order) => mutation.mutate({ alert: asking.alert, order })}
        />
      )}
      {refusal && <Failure error={refusal} />}
    </>
  )
  return { begin, dialogs, busy: mutation.isPending, subject }
}

const BUTTONS = [
  { action: 'acknowledge', text: 'Acknowledge', hint: 'a' },
  { action: 'resolve', text: 'Resolve', hint: 'r' },
  { action: 'dismiss', text: 'Dismiss', hint: 'd' },
  { action: 'unacknowledge', text: 'Unacknowledge', hint: null },
  { action: 'reopen', text: 'Reopen', hint: 'o' },
  { action: 'assign', text: 'Assign to me', hint: 'm' },
  { action: 'comment', text: 'Comment', hint: 'c' },
  { action: 'label', text: 'Labels', hint: 'l' },
] as const satisfies readonly { readonly action: Action; readonly text: string; readonly hint: string | null }[]

export function ActionButtons({
  alert,
  actions: { begin, busy, subject },
}: {
  readonly alert: Alert
  readonly actions: Pick<ReturnType<typeof useActions>, 'begin' | 'busy' | 'subject'>
}) {
  return (
    <div className="actions">
      {BUTTONS.filter(({ action }) => isOffered(alert, action)).map(({ action, text, hint }) => {
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
