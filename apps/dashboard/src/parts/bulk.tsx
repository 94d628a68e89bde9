import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import type { BulkAnswer } from '@tocsin/contracts'
import { useEffect, useRef, useState } from 'react'
import { api, type BulkTarget } from '../api/client.ts'
import { worthRetrying } from '../api/queries.ts'
import type { AlertFilter } from '../filter.ts'
import type { May } from '../session.tsx'
import { OrderDialog } from './act-dialogs.tsx'
import { type Action, NEEDS, type Order } from './acts.ts'
import { Dialog } from './dialog.tsx'
import { alertCount } from './figures.ts'

const ACTS = [
  { action: 'acknowledge', text: 'Acknowledge' },
  { action: 'resolve', text: 'Resolve' },
  { action: 'dismiss', text: 'Dismiss' },
  { action: 'reopen', text: 'Reopen' },
  { action: 'assign', text: 'Assign to me' },
  { action: 'comment', text: 'Comment' },
  { action: 'label', text: 'Add labels' },
] as const satisfies readonly { readonly action: Action; readonly text: string }[]
/** As the API takes at once. */
const MOST = 1_000
/** Only counted: which act it is does not matter for that. */
const ANY: Order = { act: 'acknowledge' }

/** Why an alert was left as it was, in words. */
const REASONS: Readonly<Record<string, string>> = {
  alreadyThere: 'nothing would have changed',
  alreadyEnded: 'it had ended',
  notAcknowledged: 'nobody had acknowledged it',
  notEnded: 'it had not ended',
  tooManyLabels: 'it would have had more than 50 labels',
}

/** Acts on the alerts that were chosen, or on all that fit the filter; the count comes before the act. */
export function BulkBar({
  organizationId,
  filter,
  chosen,
  may,
  onClear,
}: {
  readonly organizationId: string
  readonly filter: AlertFilter
  readonly chosen: ReadonlySet<string>
  readonly may: May
  readonly onClear: () => void
}) {
  const [asked, setAsked] = useState<{ readonly action: Action; readonly target: BulkTarget } | null>(null)
  const [all, setAll] = useState(false)
  const close = () => {
    setAsked(null)
    setAll(false)
    onClear()
  }
  const isAll = all && chosen.size === 0
  const bar = useRef<HTMLFieldSetElement>(null)
  // The button that was pressed is gone.
  useEffect(() => {
    if (isAll) bar.current?.querySelector('button')?.focus()
  }, [isAll])
  if (chosen.size === 0 && !isAll)
    return (
      <button type="button" className="plain" onClick={() => setAll(true)}>
        Act on all of them
      </button>
    )
  const target: BulkTarget = isAll ? { filter } : { ids: [...chosen] }
  return (
    <fieldset ref={bar} className="bulk" aria-label="Act on many">
      <strong role="status">{isAll ? 'All that fit the filters' : `${chosen.size} chosen`}</strong>
      {ACTS.filter(({ action }) => may(NEEDS[action])).map(({ action, text }) => (
        <button key={action} type="button" onClick={() => setAsked({ action, target })}>
          {text}
        </button>
      ))}
      <button type="button" className="plain" onClick={close}>
        Choose none
      </button>
      {asked && <BulkDialog organizationId={organizationId} {...asked} onClose={() => setAsked(null)} onDone={close} />}
    </fieldset>
  )
}

function BulkDialog({
  organizationId,
  action,
  target,
  onClose,
  onDone,
}: {
  readonly organizationId: string
  readonly action: Action
  readonly target: BulkTarget
  readonly onClose: () => void
  readonly onDone: () => void
}) {
  const client = useQueryClient()
  const count = useQuery({
    queryKey: ['bulk', organizationId, target],
    queryFn: ({ signal }) => api.countFor(organizationId, ANY, target, signal),
    gcTime: 0,
    retry: worthRetrying,
  })
  const [sent, setSent] = useState<{ readonly text: string; readonly key: string } | null>(null)
  const mutation = useMutation({
    mutationFn: ({ order, key }: { readonly order: Order; readonly key: string }) =>
      api.actOnMany(organizationId, order, target, key),
    onSettled: () => client.invalidateQueries({ queryKey: ['alerts'] }),
  })
  const send = (order: Order) => {
    // The same order sent again goes on where the first was cut off.
    const text = JSON.stringify(order)
    const key = sent?.text === text ? sent.key : newKey()
    setSent({ text, key })
    mutation.mutate({ order, key })
  }
  if (mutation.data) return <BulkResult answer={mutation.data} onClose={onDone} />
  const matched = count.data
  return (
    <OrderDialog
      action={action}
      about={
        <p role="status">
          {matched === undefined
            ? 'Counting …'
            : matched > MOST
              ? `${alertCount(matched)} fit, and ${MOST.toLocaleString()} at most are acted on at once. Narrow the filters.`
              : `${alertCount(matched)}, each with an entry in its history.`}
        </p>
      }
      organizationId={organizationId}
      labels={[]}
      error={mutation.error ?? count.error}
      blocked={mutation.isPending || matched === undefined || matched === 0 || matched > MOST}
      onClose={onClose}
      onDone={send}
    />
  )
}

function BulkResult({ answer, onClose }: { readonly answer: BulkAnswer; readonly onClose: () => void }) {
  const missing = answer.items.filter(({ outcome }) => outcome === 'missing').length
  const refused = Map.groupBy(
    answer.items.filter(({ outcome }) => outcome === 'refused'),
    ({ reason = '' }) => reason,
  )
  return (
    <Dialog title="Done" onClose={onClose}>
      <ul>
        <li>
          done on {answer.done.toLocaleString()} of {answer.matched.toLocaleString()}
        </li>
        {[...refused].map(([reason, items]) => (
          <li key={reason}>
            {items.length.toLocaleString()} left as before: {REASONS[reason] ?? reason}
          </li>
        ))}
        {missing > 0 && <li>{missing.toLocaleString()} are not there any more</li>}
      </ul>
      <div className="dialog-buttons">
        <button type="button" className="primary" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  )
}

/** crypto.randomUUID is only there on https and loopback. */
const newKey = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('')
