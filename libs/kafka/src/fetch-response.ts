import { createRequire } from 'node:module'
import { type FetchedMessage, messagesIn } from './record-set.ts'

interface Response {
  decode: (bytes: Buffer) => Promise<unknown>
  repaired?: true
}

/**
 * kafkajs spends more on taking a fetched response apart than the detector has for an event. Its decoding of responses of version 11, which every
 * broker since Kafka 2.4 speaks with it, is replaced by one that finds the records and leaves them as they are (record-set.ts). Whatever is not plain
 * (compression, transactions, old formats) is decoded by kafkajs as before. Messages have the same properties for everyone.
 */
export function repairFetchResponses(): void {
  const response = createRequire(import.meta.url)('kafkajs/src/protocol/requests/fetch/v11/response') as Response
  if (response.repaired === true) return
  response.repaired = true
  const decode = response.decode
  response.decode = async (bytes) => decodeFetchResponse(bytes) ?? (await decode(bytes))
}

/** Null where there is anything that is not plain. Layout: https://kafka.apache.org/protocol#The_Messages_Fetch, version 11. */
export function decodeFetchResponse(bytes: Buffer) {
  let at = 0
  const past = (size: number) => {
    at += size
    return at - size
  }
  const int32 = () => bytes.readInt32BE(past(4))
  const int16 = () => bytes.readInt16BE(past(2))
  const int64 = () => bytes.readBigInt64BE(past(8))
  const clientSideThrottleTime = int32()
  const errorCode = int16()
  const sessionId = int32()
  const responses = []
  for (let topics = int32(); topics > 0; topics--) {
    const nameLength = int16()
    const topicName = bytes.toString('utf8', past(nameLength), at)
    const partitions = []
    for (let left = int32(); left > 0; left--) {
      const head = {
        partition: int32(),
        errorCode: int16(),
        highWatermark: String(int64()),
        lastStableOffset: String(int64()),
        lastStartOffset: String(int64()),
      }
      if (int32() > 0) return null // aborted transactions
      const preferredReadReplica = int32()
      const size = Math.max(0, int32())
      const messages = messagesIn(bytes, at, Math.min(at + size, bytes.length))
      if (messages === null) return null
      partitions.push({ ...head, abortedTransactions: [], preferredReadReplica, messages: fromOneOn(messages) })
      at += size
    }
    responses.push({ topicName, partitions })
  }
  // As kafkajs has it: the broker throttles by itself, and what it asks for is waited for by the client.
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses }
}

/**
 * kafkajs' Batch begins with those messages whose offset is at least the one asked for, and makes two big numbers of each to find them. They hold for
 * all messages from one on, which is found here by halves. The array that Batch keeps is a plain one.
 */
function fromOneOn(messages: FetchedMessage[]): FetchedMessage[] {
  const filter = (holds: (message: FetchedMessage) => boolean): FetchedMessage[] => {
    let low = 0
    let high = messages.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (holds(messages[middle] as FetchedMessage)) high = middle
      else low = middle + 1
    }
    return messages.slice(low)
  }
  return Object.defineProperty(messages, 'filter', { value: filter })
}
