import { useQuery } from '@tanstack/react-query'
import type { DismissReason } from '@tocsin/contracts'
import { type ReactNode, useId, useState } from 'react'
import { membersQuery } from '../api/queries.ts'
import { useSignedIn } from '../session.tsx'
import { DISMISS_REASONS } from '../vocabulary.ts'
import { type Action, labelOrder, type Order } from './acts.ts'
import { Dialog } from './dialog.tsx'
import { Failure } from './failure.tsx'

/** What one dialog of an act needs, on one alert or on many. */
export interface DialogProps {
  /** What the act is done to. */
  readonly about: ReactNode
  readonly organizationId: string
  /** Those that are there already. */
  readonly labels: readonly string[]
  readonly error: Error | null
  /** Whether it cannot be sent now. */
  readonly blocked: boolean
  readonly onClose: () => void
  readonly onDone: (order: Order) => void
}

export function OrderDialog({ action, ...rest }: DialogProps & { readonly action: Action }) {
  const Asked = DIALOGS[action]
  return <Asked {...rest} />
}

function ResolveDialog(props: DialogProps) {
  const [notes, setNotes] = useState('')
  const [done, setDone] = useState('')
  const order: Order = {
    act: 'resolve',
    notes: notes.trim(),
    ...(done.trim() === '' ? {} : { action: done.trim() }),
  }
  return (
    <Asked {...props} title="Resolve" order={order.notes === '' ? null : order}>
      <label>
        What was it?
        <textarea required rows={4} maxLength={10_000} value={notes} onChange={(event) => setNotes(event.target.value)} />
      </label>
      <label>
        What was done about it? (optional)
        <input maxLength={2_000} value={done} onChange={(event) => setDone(event.target.value)} />
      </label>
    </Asked>
  )
}

function DismissDialog(props: DialogProps) {
  const [reason, setReason] = useState<DismissReason>('false positive')
  const [notes, setNotes] = useState('')
  return (
    <Asked {...props} title="Dismiss" order={{ act: 'dismiss', reason, ...(notes.trim() === '' ? {} : { notes: notes.trim() }) }}>
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

function DelegateDialog(props: DialogProps) {
  const { may } = useSignedIn()
  const [assignee, setAssignee] = useState('')
  // Not everybody may read who the members are; everybody may name one.
  const members = useQuery({ ...membersQuery(props.organizationId), enabled: may('members:read') })
  const known = useId()
  return (
    <Asked {...props} title="Assign" order={assignee.trim() === '' ? null : { act: 'assign', assignee: assignee.trim() }}>
      <label>
        Member who takes care of it
        <input
          required
          list={known}
          maxLength={255}
          value={assignee}
          placeholder="ada@example.org"
          onChange={(event) => setAssignee(event.target.value)}
        />
      </label>
      <datalist id={known}>
        {members.data?.items.map(({ subject, role }) => (
          <option key={subject} value={subject}>
            {role}
          </option>
        ))}
      </datalist>
    </Asked>
  )
}

function CommentDialog(props: DialogProps) {
  const [comment, setComment] = useState('')
  return (
    <Asked {...props} title="Comment" order={comment.trim() === '' ? null : { act: 'comment', comment: comment.trim() }}>
      <label>
        What should others know?
        <textarea required rows={4} maxLength={10_000} value={comment} onChange={(event) => setComment(event.target.value)} />
      </label>
    </Asked>
  )
}

function LabelDialog(props: DialogProps) {
  const [text, setText] = useState(props.labels.join(', '))
  return (
    <Asked {...props} title="Labels" order={labelOrder(props.labels, text)}>
      <label>
        Labels, with commas between
        <input value={text} onChange={(event) => setText(event.target.value)} />
      </label>
    </Asked>
  )
}

const Acknowledge = (props: DialogProps) => <Asked {...props} title="Acknowledge" order={{ act: 'acknowledge' }} />
const Unacknowledge = (props: DialogProps) => <Asked {...props} title="Unacknowledge" order={{ act: 'unacknowledge' }} />
const Reopen = (props: DialogProps) => <Asked {...props} title="Reopen" order={{ act: 'reopen' }} />
function AssignToMe(props: DialogProps) {
  const { me } = useSignedIn()
  return <Asked {...props} title="Assign to me" order={{ act: 'assign', assignee: me.subject }} />
}

const DIALOGS: Readonly<Record<Action, (props: DialogProps) => ReactNode>> = {
  acknowledge: Acknowledge,
  unacknowledge: Unacknowledge,
  resolve: ResolveDialog,
  dismiss: DismissDialog,
  reopen: Reopen,
  assign: AssignToMe,
  delegate: DelegateDialog,
  comment: CommentDialog,
  label: LabelDialog,
}

/** `order` null: not enough was said yet. */
function Asked({
  about,
  error,
  blocked,
  onClose,
  onDone,
  title,
  order,
  children,
}: DialogProps & { readonly title: string; readonly order: Order | null; readonly children?: ReactNode }) {
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (order !== null) onDone(order)
        }}
      >
        <div className="quiet">{about}</div>
        {children}
        {error && <Failure error={error} />}
        <div className="dialog-buttons">
          <button type="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="primary" disabled={blocked}>
            {title}
          </button>
        </div>
      </form>
    </Dialog>
  )
}
