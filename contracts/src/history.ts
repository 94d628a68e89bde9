import { type Static, Type } from 'typebox'

const Hash = Type.String({ pattern: '^[0-9a-f]{64}$', description: 'SHA-256, hex' })
const Sequence = Type.Integer({ minimum: 1, description: 'Place in the chain of the organization, from 1 without holes' })
const Nullable = <T extends Type.TSchema>(schema: T, options: Type.TSchemaOptions = {}) =>
  Type.Union([schema, Type.Null()], options)

/** What a signature says of one place of a chain; docs/history.md has the signed bytes. */
const signed = {
  organizationId: Type.String({ format: 'uuid' }),
  sequence: Sequence,
  hash: Hash,
  at: Type.String({ format: 'date-time' }),
  keyId: Type.String({ maxLength: 255, description: 'In the ring `history`' }),
  signature: Type.String({ maxLength: 255, description: 'Ed25519, base64url' }),
}

/** Value on `history.heads` (key: organizationId): how far the chain of an organization was, and what it was. */
export const HistoryHead = Type.Object({ purpose: Type.Literal('head'), ...signed }, { $id: 'HistoryHead' })
export type HistoryHead = Static<typeof HistoryHead>

/** Where retention cut the chain: what came up to and with `sequence` is gone, and the rest goes on from `hash`. */
export const HistoryCheckpoint = Type.Object({ purpose: Type.Literal('checkpoint'), ...signed }, { $id: 'HistoryCheckpoint' })
export type HistoryCheckpoint = Static<typeof HistoryCheckpoint>

/** First line of an export. */
export const HistoryExportStart = Type.Object(
  {
    type: Type.Literal('history'),
    format: Type.Literal(1),
    organizationId: Type.String({ format: 'uuid' }),
    exportedAt: Type.String({ format: 'date-time' }),
    checkpoint: Nullable(HistoryCheckpoint),
  },
  { $id: 'HistoryExportStart' },
)
export type HistoryExportStart = Static<typeof HistoryExportStart>

/** One line for each entry, in the order of sequence; those that are not sealed yet come last, without sequence. */
export const HistoryExportEntry = Type.Object(
  {
    type: Type.Literal('entry'),
    sequence: Nullable(Sequence),
    previous: Nullable(Hash),
    hash: Nullable(Hash),
    entry: Nullable(
      Type.Object({
        id: Type.String({ format: 'uuid' }),
        at: Type.String({ format: 'date-time', description: 'UTC with six digits of a second' }),
        actor: Type.String(),
        channel: Type.String(),
        action: Type.String(),
        aboutKind: Type.String(),
        aboutId: Type.String(),
        version: Nullable(Type.Integer()),
        commitment: Hash,
      }),
      { description: 'null: the chain names an entry that the database no longer has' },
    ),
    payload: Nullable(Type.String(), { description: 'JSON of salt and details, as committed to; null: erased' }),
  },
  { $id: 'HistoryExportEntry' },
)
export type HistoryExportEntry = Static<typeof HistoryExportEntry>

/** Last line: an export without it was cut on its way. */
export const HistoryExportEnd = Type.Object(
  { type: Type.Literal('end'), entries: Type.Integer({ minimum: 0 }) },
  { $id: 'HistoryExportEnd' },
)
export type HistoryExportEnd = Static<typeof HistoryExportEnd>

/** The public halves of the ring `history`, as a JSON Web Key Set (RFC 7517, RFC 8037). */
export const HistoryKeys = Type.Object(
  {
    keys: Type.Array(
      Type.Object({ kid: Type.String(), kty: Type.Literal('OKP'), crv: Type.Literal('Ed25519'), x: Type.String() }),
    ),
  },
  { $id: 'HistoryKeys' },
)
export type HistoryKeys = Static<typeof HistoryKeys>
