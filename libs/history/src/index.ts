export { type ChainedEntry, commitmentOf, GENESIS, hashOf } from './chain.ts'
export { checkSignature, publicKeysOf, type SignedPlace, signPlace } from './signed-place.ts'
export { HISTORY_FAULTS, type HistoryFault, type HistoryReport, type VerifyOptions, verifyHistory } from './verify-history.ts'
