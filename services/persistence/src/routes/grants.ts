import { isReservedSubject } from '@tocsin/access'
import { OPERATIONS_TABLE } from '@tocsin/contracts'
import { HttpProblem } from '@tocsin/errors'
import { type HttpServer, route } from '@tocsin/http'
import type { Pool, Query } from '@tocsin/postgres'
import { asSubject } from '../repositories/access.ts'
import { listGrants, setGrants } from '../repositories/grants.ts'
import { operatorOf } from './authentication.ts'

/** Who may do what in every organization: given and ended by operators, and every row stays. */
export function grantRoutes(app: HttpServer, { pool }: { readonly pool: Pool }): void {
  const asOperator = <T>(operator: string, work: (query: Query) => Promise<T>): Promise<T> => asSubject(pool, operator, work)

  route(app, OPERATIONS_TABLE.listGrants, async ({ request }) => ({ items: await asOperator(operatorOf(request), listGrants) }))

  route(app, OPERATIONS_TABLE.setGrants, async ({ params: { subject }, body, request }) => {
    const by = operatorOf(request)
    if (isReservedSubject(subject))
      throw new HttpProblem(422, 'RESERVED_SUBJECT', `${subject} is a name of the system: a person has another one.`)
    return { items: await asOperator(by, (query) => setGrants(query, { ...body, subject, by })) }
  })
}
