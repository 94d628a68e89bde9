import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import type { ListedRule } from '@tocsin/contracts'
import { rulesQuery } from '../../api/rule-queries.ts'
import { Failure } from '../../parts/failure.tsx'
import { percent } from '../../parts/figures.ts'
import { PageHeading } from '../../parts/page-heading.tsx'
import { ownerName } from '../../parts/rule-acts.ts'
import { TableFrame } from '../../parts/table-frame.tsx'
import { Age } from '../../parts/time.tsx'
import { useSignedIn } from '../../session.tsx'
import { RuleState } from './rule-state.tsx'

/** Every rule that holds here: the organization's own, and those of the installation. */
export function RuleList() {
  const { organization, may } = useSignedIn()
  const { organizationId } = organization
  const rules = useQuery(rulesQuery(organizationId))
  return (
    <main className="page" id="content">
      <PageHeading title="Rules" />
      <p className="quiet">
        A rule says what makes an alert.{' '}
        {may('rules:write') ? (
          <Link to="/new-rule" search={(now) => now}>
            Write a new one
          </Link>
        ) : (
          'Your role may read rules and not change them.'
        )}
      </p>
      {rules.isPending && <p className="quiet">Loading …</p>}
      {rules.error && <Failure error={rules.error} retry={() => void rules.refetch()} />}
      {rules.data && rules.data.items.length === 0 && (
        <p className="empty">
          There is no rule, so nothing raises an alert. Write one, or apply a folder: tocsin rules apply rules
        </p>
      )}
      {rules.data && rules.data.items.length > 0 && <Table rules={rules.data.items} />}
    </main>
  )
}

function Table({ rules }: { readonly rules: readonly ListedRule[] }) {
  return (
    <TableFrame label="Rules">
      <table>
        <thead>
          <tr>
            <th scope="col">Rule</th>
            <th scope="col">State</th>
            <th scope="col">Kept by</th>
            <th scope="col" className="number">
              Version
            </th>
            <th scope="col" className="number">
              Fires
            </th>
            <th scope="col" className="number">
              False positives
            </th>
            <th scope="col" className="number">
              Last fired
            </th>
          </tr>
        </thead>
        <tbody>
          {rules.map((rule) => (
            <tr key={rule.ruleId}>
              <td>
                <Link to="/rules/$ruleId" params={{ ruleId: rule.ruleId }} search={(now) => now}>
                  {rule.title}
                </Link>
                <div className="quiet">{rule.ruleId}</div>
              </td>
              <td>
                <RuleState rule={rule} />
              </td>
              <td>{ownerName(rule)}</td>
              <td className="number">{rule.inForce ?? '–'}</td>
              <td className="number">{rule.fires.toLocaleString()}</td>
              <td className="number">{rule.falsePositiveShare === null ? '–' : percent(rule.falsePositiveShare)}</td>
              <td className="number nowrap">
                {rule.lastFired === null ? (
                  'never'
                ) : (
                  <>
                    <Age at={rule.lastFired} /> ago
                  </>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </TableFrame>
  )
}
