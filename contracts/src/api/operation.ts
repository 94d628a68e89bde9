import { Type } from 'typebox'
import type { InstallationPermission, Permission } from '../permissions.ts'
import { Problem } from '../problem.ts'

export const Uuid = Type.String({ format: 'uuid' })
export const Time = Type.String({ format: 'date-time' })
export const Nullable = <T extends Type.TSchema>(schema: T) => Type.Union([schema, Type.Null()])
/** One value or several: `?status=active&status=acknowledged`. */
export const oneOrMore = <T extends string>(values: readonly T[]) =>
  Type.Optional(Type.Union([Type.Enum([...values]), Type.Array(Type.Enum([...values]))]))

export const AlertParams = Type.Object({ id: Uuid })
export const OrganizationParams = Type.Object({ organizationId: Uuid })
export const InOrganization = Type.Object({ organizationId: Type.Optional(Uuid) }, { additionalProperties: false })
/** Of every write that can be asked twice by mistake; an answer that shows a secret comes once (KEY_SHOWN_ONCE). */
export const IDEMPOTENCY_HEADER = {
  'idempotency-key': Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 255,
      pattern: '^[\\x21-\\x7e]+$',
      description: 'Sent again within 24 h: the same answer, with the header idempotent-replayed, and no second effect',
    }),
  ),
} as const
export const WriteHeaders = Type.Object(IDEMPOTENCY_HEADER)

export const Failures = { '4xx': Problem, '5xx': Problem }

export interface ApiOperation {
  readonly service: 'persistence' | 'notifier' | 'ingest' | 'gateway'
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  readonly url: string
  readonly summary: string
  /**
   * What the caller needs in the organization; one that ends in `:all`: in every organization, by a grant; `operator`: of the installation;
   * `self`: a token is enough; `key`: an ingest key; `service`: another service.
   */
  readonly permission: Permission | InstallationPermission | 'operator' | 'self' | 'key' | 'service'
  /** Default: 1 MiB. */
  readonly bodyLimitBytes?: number
  readonly schema: {
    readonly params?: Type.TSchema
    readonly querystring?: Type.TSchema
    readonly headers?: Type.TSchema
    readonly body?: Type.TSchema
    readonly response: Readonly<Record<string | number, Type.TSchema>>
  }
}
