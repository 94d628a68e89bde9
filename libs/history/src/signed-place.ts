import { createPrivateKey, createPublicKey, type JsonWebKey, sign, verify } from 'node:crypto'
import type { Keys, TokenKey } from '@tocsin/access'
import type { HistoryCheckpoint, HistoryHead, HistoryKeys } from '@tocsin/contracts'
import { canonicalJson } from './canonical-json.ts'

/** One place of a chain, signed: a head that leaves the database, or a checkpoint at which retention cut. */
export type SignedPlace = HistoryHead | HistoryCheckpoint

/** Signs with the active key; the purpose is signed with it, so that no head passes as a checkpoint. */
export function signPlace<P extends Omit<SignedPlace, 'keyId' | 'signature'>>(
  ring: Keys<TokenKey>,
  place: P,
): P & Pick<SignedPlace, 'keyId' | 'signature'> {
  const key = ring.keys[ring.active]
  if (key === undefined) throw new Error('the ring "history" has no active key')
  const privateKey = createPrivateKey({ key: key.privateJwk as JsonWebKey, format: 'jwk' })
  return { ...place, keyId: ring.active, signature: sign(null, signedBytes(place), privateKey).toString('base64url') }
}

/** `unknownKey`: none of `keys` has its id. */
export type SignatureCheck = 'valid' | 'forged' | 'unknownKey'

export function checkSignature(place: SignedPlace, { keys }: HistoryKeys): SignatureCheck {
  const found = keys.find((key) => key.kid === place.keyId)
  if (found === undefined) return 'unknownKey'
  const publicKey = createPublicKey({ key: { ...found }, format: 'jwk' })
  return verify(null, signedBytes(place), publicKey, Buffer.from(place.signature, 'base64url')) ? 'valid' : 'forged'
}

/** The public halves of a ring, for auditors. */
export const publicKeysOf = (ring: Keys<TokenKey>): HistoryKeys => ({
  keys: Object.entries(ring.keys).map(([kid, { publicJwk }]) => ({ kid, kty: 'OKP', crv: 'Ed25519', x: publicJwk.x ?? '' })),
})

const signedBytes = ({ purpose, organizationId, sequence, hash, at }: Omit<SignedPlace, 'keyId' | 'signature'>): Buffer =>
  Buffer.from(canonicalJson({ purpose, organizationId, sequence, hash, at }))
