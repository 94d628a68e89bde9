/** Asks Redis and Kafka whether they serve, in their own protocol and without a client library's retries and logs. */
import { connect } from 'node:net'

const ANSWER_LIMIT_MS = 2_000

export interface Address {
  readonly host: string
  readonly port: number
}

/** True when Redis answers PONG; false for any other answer (still loading, wrong password). Rejects when nobody answers. */
export async function redisAnswers(address: Address, password?: string): Promise<boolean> {
  const login = password ? `AUTH ${password}\r\n` : ''
  const answer = await exchange(address, Buffer.from(`${login}PING\r\n`), (sofar) =>
    /\+PONG\r\n|^-[^\r]*\r\n$/m.test(sofar.toString('latin1')),
  )
  return answer.toString('latin1').includes('+PONG')
}

/** True when the broker answers a metadata request and names at least one live broker, itself included. */
export async function kafkaAnswers(address: Address): Promise<boolean> {
  // Metadata (key 3) in version 1, the simplest whose answer lists the brokers; an empty topic list asks for none.
  const client = Buffer.from('tocsin-local')
  const request = Buffer.alloc(4 + 2 + 2 + 4 + 2 + client.length + 4)
  let at = request.writeInt32BE(request.length - 4, 0)
  at = request.writeInt16BE(3, at)
  at = request.writeInt16BE(1, at)
  at = request.writeInt32BE(7, at)
  at = request.writeInt16BE(client.length, at)
  at += client.copy(request, at)
  request.writeInt32BE(0, at)
  const answer = await exchange(address, request, (sofar) => sofar.length >= 4 && sofar.length >= 4 + sofar.readInt32BE(0))
  // Length, correlation id, then the number of brokers.
  return answer.length >= 12 && answer.readInt32BE(8) > 0
}

function exchange(address: Address, request: Buffer, whole: (sofar: Buffer) => boolean): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(address)
    let sofar: Buffer = Buffer.alloc(0)
    socket.setTimeout(ANSWER_LIMIT_MS, () => socket.destroy(new Error(`no answer within ${ANSWER_LIMIT_MS} ms`)))
    socket.once('connect', () => socket.write(request))
    socket.on('data', (piece) => {
      sofar = Buffer.concat([sofar, piece])
      if (whole(sofar)) socket.destroy()
    })
    socket.once('error', reject)
    socket.once('close', () => (whole(sofar) ? resolve(sofar) : reject(new Error('the connection ended without an answer'))))
  })
}
