export { connectRedis, type Redis, type RedisHandle } from './connection.ts'
export { createKeyUse, type KeyUse } from './key-use.ts'
export { createTokenBuckets, type Rate, type TokenBuckets } from './token-buckets.ts'
