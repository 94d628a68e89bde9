/**
 * A stand-in for the part of Slack's Web API that the notifier uses. It answers as Slack does, also where it refuses: HTTP 200 with
 * `ok: false`, channel ids where Slack wants ids, the limits of Block Kit. Some channel names misbehave on purpose, so that it can be seen
 * by hand what a notifier makes of it: `#missing`, `#archived`, `#limited` (429 once, then fine).
 */
import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { alertIdIn, type Message, type Messages } from './messages.ts'

const TEXT_LIMIT = 40_000
const BLOCKS_LIMIT = 50
const SECTION_TEXT_LIMIT = 3_000
const FIELD_LIMIT = 2_000
const FIELDS_LIMIT = 10
const HEADER_LIMIT = 150
const LIMITED_RETRY_AFTER_SECONDS = 2

type Arguments = Readonly<Record<string, unknown>>
type Answer = Readonly<Record<string, unknown>>

const refused = (error: string): Answer => ({ ok: false, error })

/** Slack's id of a channel, made of its name; an id stays what it is. */
export const channelId = (name: string): string =>
  /^[CDG][A-Z0-9]{8,}$/.test(name)
    ? name
    : `C${createHash('sha256').update(name.replace(/^#/, '')).digest('hex').slice(0, 10).toUpperCase()}`

export function registerSlack(app: FastifyInstance, messages: Messages): void {
  const names = new Map<string, string>()
  const limited = new Set<string>()
  let counter = 0
  const nextTs = () => `${Math.floor(Date.now() / 1000)}.${String(++counter % 1_000_000).padStart(6, '0')}`
  const find = (channel: string, ts: string) =>
    messages.list({ kind: 'slack' }).find((message) => message.slack?.channel === channel && message.slack.ts === ts)

  const methods: Readonly<Record<string, (args: Arguments) => Answer>> = {
    'api.test': (args) => ({ ok: true, args }),
    'auth.test': () => ({
      ok: true,
      url: 'https://mailbox.slack.invalid/',
      team: 'Mailbox',
      user: 'tocsin',
      team_id: 'T00000000',
      user_id: 'U00000000',
      bot_id: 'B00000000',
    }),
    'chat.postMessage': (args) => {
      const name = textOf(args.channel)
      if (name === '' || /^#?missing$/.test(name)) return refused('channel_not_found')
      if (/^#?archived$/.test(name)) return refused('is_archived')
      const text = textOf(args.text)
      const blocks = blocksOf(args.blocks)
      if (blocks === null) return refused('invalid_blocks')
      if (text === '' && blocks.length === 0) return refused('no_text')
      if (text.length > TEXT_LIMIT) return refused('msg_too_long')
      const channel = channelId(name)
      if (channel !== name) names.set(channel, name)
      const ts = nextTs()
      const answer = { ok: true, channel, ts, message: { type: 'message', subtype: 'bot_message', text, ts } }
      const threadTs = textOf(args.thread_ts)
      if (threadTs !== '') {
        const parent = find(channel, threadTs)
        if (parent?.slack === undefined) return refused('thread_not_found')
        messages.replace(withThreadLine(parent, { at: new Date().toISOString(), text, ts }))
        return answer
      }
      const alertId = alertIdIn(`${text} ${JSON.stringify(blocks)}`)
      messages.add({
        kind: 'slack',
        to: names.get(channel) ?? name,
        text,
        ...(alertId === undefined ? {} : { alertId }),
        slack: { channel, ts, blocks, updates: [], thread: [] },
      })
      return answer
    },
    'chat.update': (args) => {
      const channel = textOf(args.channel)
      // As Slack: an update takes the id that postMessage answered with, never a name.
      if (!/^[CDG][A-Z0-9]{8,}$/.test(channel)) return refused('channel_not_found')
      const message = find(channel, textOf(args.ts))
      if (message?.slack === undefined) return refused('message_not_found')
      const text = textOf(args.text)
      const blocks = blocksOf(args.blocks)
      if (blocks === null) return refused('invalid_blocks')
      if (text.length > TEXT_LIMIT) return refused('msg_too_long')
      const before = { at: new Date().toISOString(), text: message.text, blocks: message.slack.blocks }
      messages.replace({ ...message, text, slack: { ...message.slack, blocks, updates: [...message.slack.updates, before] } })
      return { ok: true, channel, ts: message.slack.ts, text, message: { type: 'message', text } }
    },
  }

  const answer = (request: FastifyRequest, reply: FastifyReply): Answer | FastifyReply => {
    const { method } = request.params as { method: string }
    const handler = Object.hasOwn(methods, method) ? methods[method] : undefined
    if (handler === undefined) return refused('unknown_method')
    const args = (request.body ?? {}) as Arguments
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? textOf(args.token)
    if (method !== 'api.test') {
      if (token === '') return refused('not_authed')
      if (!token.startsWith('xox')) return refused('invalid_auth')
    }
    const name = textOf(args.channel)
    if (/^#?limited$/.test(name) && !limited.delete(name)) {
      limited.add(name)
      return reply.code(429).header('retry-after', String(LIMITED_RETRY_AFTER_SECONDS)).send(refused('ratelimited'))
    }
    return handler(args)
  }
  app.post('/slack/api/:method', async (request, reply) => answer(request, reply))
  app.get('/slack/api/:method', async (request, reply) => answer(request, reply))
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

function withThreadLine(message: Message, line: { at: string; text: string; ts: string }): Message {
  return message.slack === undefined
    ? message
    : { ...message, slack: { ...message.slack, thread: [...message.slack.thread, line] } }
}

/** Blocks as an array (a form carries them as JSON), or null where Slack would refuse them. */
export function blocksOf(value: unknown): readonly unknown[] | null {
  if (value === undefined || value === '') return []
  let blocks = value
  if (typeof value === 'string') {
    try {
      blocks = JSON.parse(value)
    } catch {
      return null
    }
  }
  if (!Array.isArray(blocks) || blocks.length > BLOCKS_LIMIT) return null
  return blocks.every(isBlock) ? blocks : null
}

interface TextPart {
  readonly type?: unknown
  readonly text?: unknown
}

function isBlock(block: unknown): boolean {
  if (typeof block !== 'object' || block === null) return false
  const { type, text, fields, elements } = block as { type?: unknown; text?: TextPart; fields?: unknown; elements?: unknown }
  if (type === 'header') return isText(text, HEADER_LIMIT, ['plain_text'])
  if (type === 'section') {
    if (text === undefined && fields === undefined) return false
    if (text !== undefined && !isText(text, SECTION_TEXT_LIMIT)) return false
    if (fields === undefined) return true
    return (
      Array.isArray(fields) &&
      fields.length > 0 &&
      fields.length <= FIELDS_LIMIT &&
      fields.every((field) => isText(field, FIELD_LIMIT))
    )
  }
  if (type === 'context') return Array.isArray(elements) && elements.length > 0 && elements.length <= 10
  return ['actions', 'divider', 'image', 'rich_text'].includes(String(type))
}

function isText(part: TextPart | undefined, limit: number, types: readonly string[] = ['plain_text', 'mrkdwn']): boolean {
  if (typeof part !== 'object' || part === null) return false
  return types.includes(String(part.type)) && typeof part.text === 'string' && part.text.length > 0 && part.text.length <= limit
}
