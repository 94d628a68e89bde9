import { useState } from 'react'
import { Dialog } from './dialog.tsx'
import { Failure } from './failure.tsx'

/** Asks why before something is done that goes into the history with its reason. */
export function ReasonDialog({
  title,
  effect,
  error,
  busy,
  onClose,
  onDone,
}: {
  readonly title: string
  /** What the act comes to. */
  readonly effect: string
  readonly error: Error | null
  readonly busy: boolean
  readonly onClose: () => void
  readonly onDone: (reason: string) => void
}) {
  const [reason, setReason] = useState('')
  return (
    <Dialog title={title} onClose={onClose}>
      <form
        onSubmit={(event) => {
          event.preventDefault()
          if (reason.trim() !== '') onDone(reason.trim())
        }}
      >
        <p className="quiet">{effect}</p>
        <label>
          Reason
          <textarea required rows={3} maxLength={2_000} value={reason} onChange={(event) => setReason(event.target.value)} />
        </label>
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
