/** Why a socket is closed. 4xxx are ours (README, "Close codes"); the others are RFC 6455's. */
export const CLOSE = {
  goingAway: { code: 1001, reason: 'the gateway stops; come back with your cursor' },
  textOnly: { code: 1003, reason: 'text frames only' },
  badMessage: { code: 4400, reason: 'not a message of tocsin.v1' },
  expired: { code: 4401, reason: 'the token has expired or was revoked' },
  revoked: { code: 4403, reason: 'you are no longer a member of the organization' },
  notFound: { code: 4404, reason: 'there is no such organization' },
  noSubscription: { code: 4408, reason: 'no subscription in time' },
  slow: { code: 4008, reason: 'too slow; come back with your cursor' },
  flood: { code: 4029, reason: 'too many messages' },
} as const satisfies Record<string, { code: number; reason: string }>
export type CloseKind = keyof typeof CLOSE
