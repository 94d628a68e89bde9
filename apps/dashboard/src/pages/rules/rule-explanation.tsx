import { useMutation } from '@tanstack/react-query'
import type { ExplainedRule } from '@tocsin/contracts'
import { useState } from 'react'
import { rulesApi, type Tried } from '../../api/rules.ts'
import { SeverityName } from '../../parts/badges.tsx'
import { Failure } from '../../parts/failure.tsx'
import { eventsOf } from '../../parts/rule-acts.ts'
import { span } from '../../parts/time.tsx'
import { RuleFaults } from './rule-faults.tsx'

/** Holds events against a text: what of the condition each meets, and how far the windows come. */
export function RuleExplanation({ organizationId, text }: { readonly organizationId: string; readonly text: Tried }) {
  const [events, setEvents] = useState('')
  const explain = useMutation({ mutationFn: () => rulesApi.explain(organizationId, text, eventsOf(events)) })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        explain.mutate()
      }}
    >
      <label>
        Events, one a line: JSON in any format that is taken, or lines of sshd; at most 100
        <textarea
          required
          className="rule-text"
          rows={5}
          spellCheck={false}
          placeholder='{"timestamp":"2026-03-01T10:00:00Z","principalId":"mallory","action":"auth.login","status":"failure"}'
          value={events}
          onChange={(event) => setEvents(event.target.value)}
        />
      </label>
      <div className="actions">
        <button type="submit" disabled={explain.isPending}>
          Explain
        </button>
      </div>
      {explain.error && <Failure error={explain.error} />}
      {explain.data && <Explanation explained={explain.data} />}
    </form>
  )
}

function Explanation({ explained }: { readonly explained: ExplainedRule }) {
  if (explained.faults.length > 0) return <RuleFaults found={explained} />
  return (
    <div className="explanation">
      {explained.unread.map(({ line, reason }) => (
        <p key={line} className="bad">
          line {line} is no event: {reason}
        </p>
      ))}
      {explained.events.map((event) => (
        <section key={event.line}>
          <h3>Event {event.line}</h3>
          <p className="quiet">group {event.groupBy}</p>
          {event.detections.map(({ title, holds, source, nodes }) => (
            <ul key={title} className="findings" aria-label={title}>
              <li className={holds ? 'good' : 'bad'}>
                {title}: {holds ? 'holds' : 'does not hold'}
              </li>
              {[{ ...source, depth: 0 }, ...nodes].map((node, at) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: the nodes of a condition have no name but their place.
                <li key={at} className={node.holds ? 'good' : 'bad'} style={{ marginLeft: `${node.depth + 1}rem` }}>
                  {node.holds ? '✓' : '✗'} {node.text} <span className="quiet">{node.why}</span>
                </li>
              ))}
            </ul>
          ))}
        </section>
      ))}
      <h3>Windows</h3>
      {explained.windows.length === 0 && <p className="quiet">No event counted.</p>}
      <ul className="findings">
        {explained.windows.map((window) => (
          <li key={JSON.stringify([window.group, window.title, window.severity])} className={window.raised ? 'good' : 'bad'}>
            <SeverityName name={window.severity} /> {window.title}: {window.peak.toLocaleString()} of{' '}
            {window.threshold.toLocaleString()} in {span(window.spanMs)} {window.raised ? '– an alert' : '– no alert'}
          </li>
        ))}
      </ul>
      <p className="quiet">
        What became of the events:{' '}
        {Object.entries(explained.uncounted)
          .map(([outcome, count]) => `${outcome} ${count.toLocaleString()}`)
          .join(', ') || 'none counted'}
      </p>
    </div>
  )
}
