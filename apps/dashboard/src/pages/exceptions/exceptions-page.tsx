import { PageHeading } from '../../parts/page-heading.tsx'
import { useSignedIn } from '../../session.tsx'
import { ExceptionTable } from './exception-table.tsx'

export function ExceptionsPage() {
  const { may } = useSignedIn()
  return (
    <main className="page" id="content">
      <PageHeading title="Exceptions" />
      <p className="quiet">Events that are kept out of rules, with who wanted it, why, and until when.</p>
      {may('exceptions:write') ? <ExceptionTable ruleId={null} /> : <p className="notice">Your role may not read exceptions.</p>}
    </main>
  )
}
