import { useLayoutEffect, useRef } from 'react'
import { Dialog } from './dialog.tsx'

export type Keys = Readonly<Record<string, () => void>>

/** Single keys, while nothing is being typed and no dialog is open. */
export function useKeys(keys: Keys): void {
  const current = useRef(keys)
  // With the commit and not after the next painting: what is seen takes keys.
  useLayoutEffect(() => {
    current.current = keys
  })
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return
      const target = event.target as HTMLElement
      if (
        target.matches('input:not([type=checkbox], [type=radio]), select, textarea, [contenteditable]') ||
        document.querySelector('dialog[open]') !== null
      )
        return
      // Enter on a link or button is theirs.
      if (event.key === 'Enter' && target.closest('a, button') !== null) return
      const act = Object.hasOwn(current.current, event.key) ? current.current[event.key] : undefined
      if (act === undefined) return
      event.preventDefault()
      act()
    }
    document.addEventListener('keydown', press)
    return () => document.removeEventListener('keydown', press)
  }, [])
}

const HELP = [
  ['j or ↓', 'next alert'],
  ['k or ↑', 'previous alert'],
  ['Enter', 'open the alert'],
  ['x', 'choose the alert, to act on many'],
  ['/', 'search'],
  ['a', 'acknowledge'],
  ['r', 'resolve'],
  ['d', 'dismiss'],
  ['o', 'reopen'],
  ['m', 'assign to me, or to nobody'],
  ['c', 'comment'],
  ['l', 'labels'],
  ['u', 'back to the list'],
  ['?', 'this help'],
  ['Escape', 'close a dialog'],
] as const

export function KeyboardHelp({ onClose }: { readonly onClose: () => void }) {
  return (
    <Dialog title="Keys" onClose={onClose}>
      <dl className="keys">
        {HELP.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <div className="dialog-buttons">
        <button type="button" onClick={onClose}>
          Close
        </button>
      </div>
    </Dialog>
  )
}
