import { useMutation, useQueryClient } from '@tanstack/react-query'
import type { Alert, AlertStatus, DismissReason } from '@tocsin/contracts'
import { type ReactNode, useState } from 'react'
import { ApiError, api } from '../api/client.ts'
import type { FoundAlert } from '../api/queries.ts'
import { type LoadedPages, newer, refreshed } from '../live/apply-change.ts'
import { DISMISS_REASONS } from '../vocabulary.ts'
import { Dialog } from './dialog.tsx'
import { Failure } from './failure.tsx'

export type Action = 'acknowledge' | 'resolve' | 'dismiss'

/** The same table as persistence has: a button that would be refused is not offered. */
const OFFERED: Readonly<Record<AlertStatus, ReadonlySet<Action>>> = {
  active: new Set<Action>(['acknowledge', 'resolve', 'dismiss']),
  acknowledged: new Set<Action>(['resolve', 'dismiss']),
  resolved: new Set<Action>(),
  dismissed: new Set<Action>(),
}
export const isOffered = (alert: Pick<Alert, 'status'>, action: Action): boolean => OFFERED[alert.status].has(action)

const ACTING_ROLES = new Set(['responder', 'author', 'admin'])
export const mayAct = (role: string): boolean => ACTING_ROLES.has(role)

interface Order {
  readonly alert: Alert
  readonly action: Action
  readonly reason?: DismissReason
  readonly notes?: string
}

/** The three actions with their dialogs; `begin` acts at once or asks first. */
export function useActions(allowed: boolean) {
  const client = useQueryClient()
  const [asking, setAsking] = useState<{ readonly alert: Alert; readonly action: 'resolve' | 'dismiss' } | null>(null)
  const [refusal, setRefusal] = useState<Error | null>(null)
  const mutation = useMutation({
    mutationFn: ({ alert, action, reason, notes = '' }: Order) => {
      const { organizationId, id } = alert
      if (action === 'acknowledge') return api.acknowledge(organizationId, id)
      return action === 'resolve'
        ? api.resolve(organizationId, id, notes)
        : api.dismiss(organizationId, id, reason ?? 'false positive', notes)
    },
    onSuccess: (given) => {
      setAsking(null)
      setRefusal(null)
      // The socket tells it too, before or after; without it (offline) the answer itself is what is known.
      client.setQueriesData<LoadedPages>({ queryKey: ['alerts'] }, (data) => data && refreshed(data, given))
      client.setQueryData<FoundAlert>(['alert', given.id], (found) => found && { ...found, alert: newer(found.alert, given) })
    },
    onError: (error, { action }) => {
      if (action === 'acknowledge') setRefusal(error)
      // Somebody else was first: what is shown is old.
      if (error instanceof ApiError && error.status === 409) void client.invalidateQueries({ queryKey: ['alert'] })
    },
  })

  const begin = (alert: Alert, action: Action) => {
    if (!allowed || mutation.isPending || !isOffered(alert, action)) return
    mutation.reset()
    setRefusal(null)
    if (action === 'acknowledge') mutation.mutate({ alert, action })
    else setAsking({ alert, action })
  }
  const dialogs: ReactNode = (
    <>
      {asking?.action === 'resolve' && (
        <ResolveDialog
          alert={asking.alert}
          error={mutation.error}
          busy={mutation.isPending}
          onClose={() => setAsking(null)}
          onDone={(notes) => mutation.mutate({ alert: asking.alert, action: 'resolve', notes })}
        />
      )}
      {asking?.action === 'dismiss' && (
        <DismissDialog
          alert={asking.alert}
          error={mutation.error}
          busy={mutation.isPending}
          onClose={() => setAsking(null)}
          onDone={(reason, notes) => mutation.mutate({ alert: asking.alert, action: 'dismiss', reason, notes })}
        />
      )}
      {refusal && <Failure error={refusal} />}
    </>
  )
  return { begin, dialogs, busy: mutation.isPending }
}

interface DialogProps {
  readonly alert: Alert
  readonly error: Error | null
  readonly busy: boolean
  readonly onClose: () => void
}

function ResolveDialog({ alert, error, busy, onClose, onDone }: DialogProps & { readonly onDone: (notes: string) => void }) {
  const [notes, setNotes] = useState('')
  return (
    <Dialog title="Resolve" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (notes.trim() !== '') onDone(notes.trim())
        }}
      >
        <p className="quiet">{alert.title}</p>
        <label>
          What was it, and what was done?
          <textarea
            required
            autoFocus
            rows={4}
            maxLength={10_000}
            value={notes}
            onChange={(event) => setNotes(event.target.value)}
          />
        </label>
        {error && <Failure error={error} />}
        <DialogButtons confirm="Resolve" busy={busy} onClose={onClose} />
      </form>
    </Dialog>
  )
}

function DismissDialog({
  alert,
  error,
  busy,
  onClose,
  onDone,
}: DialogProps & { readonly onDone: (reason: DismissReason, notes: string) => void }) {
  const [reason, setReason] = useState<DismissReason>('false positive')
  const [notes, setNotes] = useState('')
  return (
    <Dialog title="Dismiss" onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          onDone(reason, notes.trim())
        }}
      >
        <p className="quiet">{alert.title}</p>
        <fieldset>
          <legend>Why was it no trouble?</legend>
          {DISMISS_REASONS.map((each) => (
            <label key={each} className="choice">
              <input type="radio" name="reason" value={each} checked={reason === each} onChange={() => setReason(each)} />
              {each}
            </label>
          ))}
        </fieldset>
        <label>
          Notes (optional)
          <textarea rows={3} maxLength={10_000} value={notes} onChange={(event) => setNotes(event.target.value)} />
        </label>
        {error && <Failure error={error} />}
        <DialogButtons confirm="Dismiss" busy={busy} onClose={onClose} />
      </form>
    </Dialog>
  )
}

const DialogButtons = ({
  confirm,
  busy,
  onClose,
}: {
  readonly confirm: string
  readonly busy: boolean
  readonly onClose: () => void
}) => (
  <div className="dialog-buttons">
    <button type="button" onClick={onClose}>
      Cancel
    </button>
    <button type="submit" className="primary" disabled={busy}>
      {confirm}
    </button>
  </div>
)

export function ActionButtons({
  alert,
  begin,
  busy,
}: {
  readonly alert: Alert
  readonly begin: (alert: Alert, action: Action) => void
  readonly busy: boolean
}) {
  const actions = [
    { action: 'acknowledge', text: 'Acknowledge', hint: 'a' },
    { action: 'resolve', text: 'Resolve', hint: 'r' },
    { action: 'dismiss', text: 'Dismiss', hint: 'd' },
  ] as const
  return (
    <div className="actions">
      {actions
        .filter(({ action }) => isOffered(alert, action))
        .map(({ action, text, hint }) => (
          <button
            key={action}
            type="button"
            disabled={busy}
            aria-label={text}
            aria-keyshortcuts={hint}
            className={action === 'acknowledge' ? 'primary' : undefined}
            onClick={() => begin(alert, action)}
          >
            {text} <kbd>{hint}</kbd>
          </button>
        ))}
    </div>
  )
}
