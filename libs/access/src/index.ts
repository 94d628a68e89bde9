export {
  type Access,
  AccessDirectory,
  type AuthorizationRequest,
  admitted,
  authorize,
  NO_ACCESS,
  notFound,
  permit,
  type Standing,
  standingIn,
  standingsOf,
} from './access-directory.ts'
export { actorOfKey, generateKey, hashKey, isKey, isReservedSubject } from './api-keys.ts'
export { type FollowedKeyRing, followKeyRing, writeKeyRing } from './key-file.ts'
export {
  activeAt,
  completeKeyRing,
  generateKeyRing,
  KEY_RINGS,
  type KeyRing,
  type KeyRingName,
  type Keys,
  loadKeyRing,
  SECRET_BYTES,
  type SecretKey,
  type TokenKey,
} from './key-ring.ts'
export { retireKey, rotateKey } from './key-rotation.ts'
export { alertFor, MASKED, maskAlert, recipientsFor } from './mask-alert.ts'
export { can, INSTALLATION_GRANTS, ROLE_PERMISSIONS, SCOPE_PERMISSIONS } from './roles.ts'
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
