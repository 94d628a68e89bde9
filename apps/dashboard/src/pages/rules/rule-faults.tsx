import type { LintedRule } from '@tocsin/contracts'

/** Whether a text can run: everything that keeps it from that, with its place, and what is strange about it. */
export function RuleFaults({ found: { faults, notes } }: { readonly found: LintedRule }) {
  return (
    <>
      {faults.length === 0 && <p className="good">It can run.</p>}
      <ul className="findings">
        {faults.map(({ line, column, message }) => (
          <li key={`${line}:${column} ${message}`} className="bad">
            line {line}, column {column}: {message}
          </li>
        ))}
        {notes.map(({ line, column, message }) => (
          <li key={`${line}:${column} ${message}`}>
            Note, line {line}, column {column}: {message}
          </li>
        ))}
      </ul>
    </>
  )
}
