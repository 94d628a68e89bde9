import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ExceptionList } from '@tocsin/contracts'
import { useState } from 'react'
import { exceptionsQuery } from '../../api/rule-queries.ts'
import { exceptionsApi } from '../../api/rules.ts'
import { Dialog } from '../../parts/dialog.tsx'
import { Failure } from '../../parts/failure.tsx'
import { TableFrame } from '../../parts/table-frame.tsx'
import { Moment } from '../../parts/time.tsx'
import { useSignedIn } from '../../session.tsx'

type Listed = ExceptionList['items'][number]

/** `ruleId`: those of one rule and of every rule; null: all. */
export function ExceptionTable({ ruleId }: { readonly ruleId: string | null }) {
  const { organization } = useSignedIn()
  const { data, error, isPending, refetch } = useQuery(exceptionsQuery(organization.organizationId))
  const [ending, setEnding] = useState<Listed | null>(null)
  if (isPending) return <p className="quiet">Loading …</p>
  if (error) return <Failure error={error} retry={() => void refetch()} />
  const items = data.items.filter((each) => ruleId === null || each.ruleId === null || each.ruleId === ruleId)
  if (items.length === 0)
    return (
      <p className="quiet">
        No events are kept out. Where an alert turns out to be no trouble, open it and choose “Make an exception”.
      </p>
    )
  return (
    <>
      <TableFrame label="Exceptions">
        <table>
          <thead>
            <tr>
              <th scope="col">Events that match</th>
              <th scope="col">Of the rule</th>
              <th scope="col">Reason</th>
              <th scope="col">Owner</th>
              <th scope="col">Until</th>
              <th scope="col" className="number">
                Events kept out
              </th>
              <td />
            </tr>
          </thead>
          <tbody>
            {items.map((item) => (
              <tr key={item.id} className={item.expired ? 'quiet' : undefined}>
                <td>
                  <code>{JSON.stringify(item.match)}</code>
                </td>
                <td>
                  {item.ruleId === null ? (
                    'every rule'
                  ) : (
                    <Link to="/rules/$ruleId" params={{ ruleId: item.ruleId }} search={(now) => now}>
                      {item.ruleId}
                    </Link>
                  )}
                </td>
                <td>{item.reason}</td>
                <td>{item.owner}</td>
                <td>
                  {item.expiresAt === null ? 'it is ended' : <Moment at={item.expiresAt} />}
                  {item.expired && ' · over'}
                </td>
                <td className="number">{item.hits.toLocaleString()}</td>
                <td>
                  <button type="button" aria-label={`End the exception: ${item.reason}`} onClick={() => setEnding(item)}>
                    End
                  </button>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </TableFrame>
      {ending && <EndDialog exception={ending} onClose={() => setEnding(null)} />}
    </>
  )
}

function EndDialog({ exception, onClose }: { readonly exception: Listed; readonly onClose: () => void }) {
  const { organization } = useSignedIn()
  const client = useQueryClient()
  const { organizationId } = organization
  const end = useMutation({
    mutationFn: () => exceptionsApi.end(organizationId, exception.id),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: exceptionsQuery(organizationId).queryKey })
      onClose()
    },
  })
  return (
    <Dialog title="End the exception" onClose={onClose}>
      <p>
        Events that match <code>{JSON.stringify(exception.match)}</code> count again from now on.
      </p>
      {end.error && <Failure error={end.error} />}
      <div className="dialog-buttons">
        <button type="button" onClick={onClose}>
          Cancel
        </button>
        <button type="button" className="primary" disabled={end.isPending} onClick={() => end.mutate()}>
          End
        </button>
      </div>
    </Dialog>
  )
}
