/** Services that keep their offsets in PostgreSQL. */
export const OFFSET_OWNERS = ['persistence', 'notifier'] as const
export type OffsetOwner = (typeof OFFSET_OWNERS)[number]
