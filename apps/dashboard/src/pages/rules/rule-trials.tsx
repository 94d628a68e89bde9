import { useMutation } from '@tanstack/react-query'
import type { TestedRule } from '@tocsin/contracts'
import { useState } from 'react'
import { rulesApi, type Tried } from '../../api/rules.ts'
import { Failure } from '../../parts/failure.tsx'
import { RuleExplanation } from './rule-explanation.tsx'
import { RuleFaults } from './rule-faults.tsx'

/** Tries a text as it stands, saved or not; nothing of it is kept. */
export function RuleTrials({ organizationId, text }: { readonly organizationId: string; readonly text: Tried }) {
  const lint = useMutation({ mutationFn: () => rulesApi.lint(organizationId, text) })
  const test = useMutation({ mutationFn: () => rulesApi.test(organizationId, text) })
  const [explains, setExplains] = useState(false)
  const isBusy = lint.isPending || test.isPending
  const error = lint.error ?? test.error
  const run = (one: typeof lint | typeof test) => () => {
    lint.reset()
    test.reset()
    one.mutate()
  }
  return (
    <>
      <div className="actions">
        <button type="button" disabled={isBusy} onClick={run(lint)}>
          Check
        </button>
        <button type="button" disabled={isBusy} onClick={run(test)}>
          Run its tests
        </button>
        <button type="button" aria-expanded={explains} onClick={() => setExplains(!explains)}>
          Explain events
        </button>
      </div>
      <div aria-live="polite">
        {isBusy && <p className="quiet">Running …</p>}
        {error && <Failure error={error} />}
        {lint.data && <RuleFaults found={lint.data} />}
        {test.data && <Tested found={test.data} />}
      </div>
      {explains && <RuleExplanation organizationId={organizationId} text={text} />}
    </>
  )
}

function Tested({ found }: { readonly found: TestedRule }) {
  if (found.faults.length > 0) return <RuleFaults found={found} />
  if (found.tests.length === 0) return <p className="quiet">It has no tests. Write some under x-tocsin: tests.</p>
  return (
    <>
      <p className={found.passed ? 'good' : 'bad'}>
        {found.passed ? `All ${found.tests.length} tests passed.` : 'Not all tests passed.'}
      </p>
      <ul className="findings">
        {found.tests.map(({ name, differences }) => (
          <li key={name} className={differences.length === 0 ? 'good' : 'bad'}>
            {differences.length === 0 ? 'passed' : 'failed'}: {name}
            {differences.map((difference) => (
              <div key={difference} className="note">
                {difference}
              </div>
            ))}
          </li>
        ))}
      </ul>
    </>
  )
}
