import type { Alert, DismissReason } from '@tocsin/contracts'
import { type ReactNode, useState } from 'react'
import { DISMISS_REASONS } from '../vocabulary.ts'
import { type Action, labelOrder, type Order } from './acts.ts'
import { Dialog } from './dialog.tsx'
import { Failure } from './failure.tsx'

/** Acts that need something said first. */
const ASKING = ['resolve', 'dismiss', 'comment', 'label'] as const
export type Asking = (typeof ASKING)[number]
export const isAsking = (action: Action): action is Asking => (ASKING as readonly string[]).includes(action)

interface DialogProps {
  readonly alert: Alert
  readonly error: Error | null
  readonly busy: boolean
  readonly onClose: () => void
  readonly onDone: (order: Order) => void
}

export function OrderDialog({ action, ...rest }: DialogProps & { readonly action: Asking }) {
  const Asked = DIALOGS[action]
  return <Asked {...rest} />
}

function ResolveDialog(props: DialogProps) {
  const [notes, setNotes] = useState('')
  return (
    <Asked {...props} title="Resolve" order={notes.trim() === '' ? null : { action: 'resolve', notes: notes.trim() }}>
      <label>
        What was it, and what was done?
        <textarea required rows={4} maxLength={10_000} value={notes} onChange={(event) => setNotes(event.target.value)} />
      </label>
    </Asked>
  )
}

function DismissDialog(props: DialogProps) {
  const [reason, setReason] = useState<DismissReason>('false positive')
  const [notes, setNotes] = useState('')
  return (
    <Asked {...props} title="Dismiss" order={{ action: 'dismiss', reason, notes: notes.trim() }}>
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
    </Asked>
  )
}

function CommentDialog(props: DialogProps) {
  const [comment, setComment] = useState('')
  return (
    <Asked {...props} title="Comment" order={comment.trim() === '' ? null : { action: 'comment', comment: comment.trim() }}>
      <label>
        What should others know?
        <textarea required rows={4} maxLength={10_000} value={comment} onChange={(event) => setComment(event.target.value)} />
      </label>
    </Asked>
  )
}

function LabelDialog(props: DialogProps) {
  const [text, setText] = useState(props.alert.labels.join(', '))
  return (
    <Asked {...props} title="Labels" order={labelOrder(props.alert.labels, text)}>
      <label>
        Labels, with commas between
        <input value={text} onChange={(event) => setText(event.target.value)} />
      </label>
    </Asked>
  )
}

const DIALOGS = { resolve: ResolveDialog, dismiss: DismissDialog, comment: CommentDialog, label: LabelDialog } as const

/** `order` null: not enough was said yet. */
function Asked({
  alert,
  error,
  busy,
  onClose,
  onDone,
  title,
  order,
  children,
}: DialogProps & { readonly title: string; readonly order: Order | null; readonly children: ReactNode }) {
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (order !== null) onDone(order)
        }}
      >
        <p className="quiet">{alert.title}</p>
        {children}
        {error && <Failure error={error} />}
        <div className="dialog-buttons">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={busy}>
            {title}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
