export { type Access, AccessDirectory, admitted, authorize, NO_ACCESS, notFound } from './access-directory.ts'
export { generateIngestKey, hashKey } from './ingest-keys.ts'
export {
  completeKeyRing,
  generateKeyRing,
  type KeyRing,
  type Keys,
  loadKeyRing,
  SECRET_BYTES,
  type SecretKey,
  type TokenKey,
} from './key-ring.ts'
export { can, ROLE_PERMISSIONS } from './roles.ts'
export { openCookie, openCursor, openPage, type StreamPosition, sealCookie, sealCursor, sealPage } from './sealed.ts'
export {
  isServiceToken,
  issueServiceToken,
  issueSignInLink,
  issueToken,
  type VerifiedService,
  type VerifiedToken,
  verifyServiceToken,
  verifySignInCode,
  verifyToken,
} from './tokens.ts'
