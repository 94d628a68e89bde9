import { OPERATIONS_TABLE } from '@tocsin/contracts'
import { type HttpServer, route } from '@tocsin/http'
import { subjectOf } from './authentication.ts'

export function meRoute(app: HttpServer): void {
  route(app, OPERATIONS_TABLE.getMe, async ({ request }) => {
    const { subject, access } = subjectOf(request)
    return { subject, operator: access.operator, organizations: access.organizations }
  })
}
