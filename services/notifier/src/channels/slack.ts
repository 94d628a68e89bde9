import { ErrorCode, type KnownBlock, WebClient } from '@slack/web-api'
import { type Static, Type } from 'typebox'
import { type Channel, DeliveryFault, type MessageRef, type SendContext, type Telling } from './channel.ts'
import { httpFault, networkFault } from './http-fault.ts'
import { cut, factsOf, headlineOf, notesOf, oneLine, runbookOf, sentenceOf } from './wording.ts'

export const SlackConfig = Type.Object({
  SLACK_API_URL: Type.String({
    description: "Base address of Slack's Web API",
    pattern: '^https?://',
    default: 'https://slack.com/api/',
  }),
  SLACK_TOKEN: Type.String({
    description: 'Bot token of the installation, with chat:write',
    default: 'xoxb-development',
    secret: true,
  }),
})

export interface SlackMessage {
  readonly text: string
  readonly blocks: readonly KnownBlock[]
  /** Said in the thread when the message itself is only brought up to date; null: nothing is said. */
  readonly threadLine: string | null
}

// Slack's limits (Block Kit reference), and our own on the whole (channels.md §3).
const HEADER_LENGTH = 150
// Slack allows 2,000 for a field; a longer group would push the rest out of sight.
const FIELD_LENGTH = 300
const DESCRIPTION_LENGTH = 1_000
const FIELDS = 10
const WHOLE_LENGTH = 9_000
const TEXT_LENGTH = 3_000

/** Slack refuses the channel, or us in it: nothing changes by trying again. */
const REFUSES_DESTINATION: ReadonlySet<string> = new Set([
  'account_inactive',
  'cannot_reply_to_message',
  'channel_not_found',
  'ekm_access_denied',
  'invalid_auth',
  'is_archived',
  'is_inactive',
  'missing_scope',
  'no_permission',
  'not_authed',
  'not_in_channel',
  'org_login_required',
  'restricted_action',
  'team_access_not_granted',
  'token_expired',
  'token_revoked',
])
const PASSES: ReadonlySet<string> = new Set([
  'fatal_error',
  'internal_error',
  'rate_limited',
  'ratelimited',
  'request_timeout',
  'service_unavailable',
  'team_added_to_org',
])
const RATE_LIMIT_PAUSE_MS = 30_000

export function createSlack(config: Static<typeof SlackConfig>): Channel<SlackMessage> {
  return {
    name: 'slack',
    render: renderSlack,
    close: () => undefined,
    async send(message, { destination, previous, signal }: SendContext) {
      const client = clientFor(config, signal)
      const content = { text: message.text, blocks: [...message.blocks], unfurl_links: false, unfurl_media: false }
      try {
        if (previous === null) {
          const answer = await client.chat.postMessage({ channel: destination, ...content })
          return accepted({ channel: answer.channel ?? destination, ts: answer.ts ?? '' })
        }
        const channel = previous.channel ?? destination
        const ts = previous.ts ?? ''
        // Updating twice changes nothing, so the update comes first and a repeated attempt can at worst say its line twice.
        await client.chat.update({ channel, ts, text: message.text, blocks: [...message.blocks] })
        if (message.threadLine !== null) {
          await client.chat.postMessage({
            channel,
            thread_ts: ts,
            text: message.threadLine,
            unfurl_links: false,
            unfurl_media: false,
          })
        }
        return accepted({ channel, ts })
      } catch (error) {
        throw slackFault(error, signal)
      }
    },
  }
}

const accepted = (ref: MessageRef) => ({ providerId: `${ref.channel}/${ref.ts}`, ref })

/**
 * A client for one attempt: the library's own retries and queue are off, because the ledger retries, obeys Retry-After and knows of
 * the other instances; its logger is silent, because it prints bodies.
 */
function clientFor(config: Static<typeof SlackConfig>, signal: AbortSignal): WebClient {
  return new WebClient(config.SLACK_TOKEN, {
    slackApiUrl: config.SLACK_API_URL,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    allowAbsoluteUrls: false,
    fetch: (url, init) => fetch(url, { ...init, signal }),
    logger: SILENT,
  })
}

const SILENT = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  setLevel: () => undefined,
  getLevel: () => 'error' as never,
  setName: () => undefined,
}

const COLOUR = { CRITICAL: '🔴', HIGH: '🟠', MEDIUM: '🟡', LOW: '🔵', INFO: '⚪' } as const

export function renderSlack(telling: Telling): SlackMessage {
  const { alert, url, event } = telling
  const sentence = escapeSlack(sentenceOf(telling))
  const fields = factsOf(telling)
    .slice(0, FIELDS)
    .map(([label, value]) => plain(`${label}\n${value}`, FIELD_LENGTH))
  const runbook = runbookOf(alert)
  const links = [`<${url}|Open the alert>`, ...(runbook === null ? [] : [`<${runbook}|Runbook>`])]
  const blocks: KnownBlock[] = [
    {
      type: 'header',
      text: plain(`${COLOUR[alert.severity]} ${headlineOf(telling)}`, HEADER_LENGTH),
    },
    { type: 'section', text: plain(oneLine(alert.description) || sentenceOf(telling), DESCRIPTION_LENGTH) },
    { type: 'section', fields },
    { type: 'context', elements: [{ type: 'mrkdwn', text: [sentence, ...notesOf(telling).map(escapeSlack)].join(' ') }] },
    { type: 'section', text: { type: 'mrkdwn', text: links.join('  ·  ') } },
  ]
  return {
    text: `${escapedWithin(headlineOf(telling), TEXT_LENGTH)} ${url}`,
    blocks: withinLimit(blocks),
    threadLine: telling.send === 'first' || event === 'revised' ? null : sentence,
  }
}

/** Drops the facts, the longest part, where the whole would be refused for its length. */
const withinLimit = (blocks: readonly KnownBlock[]): readonly KnownBlock[] =>
  JSON.stringify(blocks).length <= WHOLE_LENGTH ? blocks : blocks.filter((block) => !('fields' in block))

/** Escaped, and cut so that the escaped text holds at most `limit` characters and no entity is cut in half. */
function escapedWithin(text: string, limit: number): string {
  let end = cut(text, limit)
  while (escapeSlack(end).length > limit)
    end = cut(end, Math.max(1, end.length - Math.ceil((escapeSlack(end).length - limit) / 5)))
  return escapeSlack(end)
}

/** Slack's three control characters: with them escaped, text cannot mention a channel or forge a link. */
export const escapeSlack = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')

/** Text of a sender: never mrkdwn, so `*`, `_` and `:` stay what they are. */
const plain = (text: string, limit: number) => ({ type: 'plain_text' as const, text: escapedWithin(text, limit), emoji: false })

function slackFault(error: unknown, signal: AbortSignal): DeliveryFault {
  if (signal.aborted) return new DeliveryFault('retry', 'timeout')
  const { code } = error as { code?: unknown }
  switch (code) {
    case ErrorCode.RateLimitedError:
      return new DeliveryFault('retry', 'slack_rate_limited', retryAfterOf(error))
    case ErrorCode.HTTPError: {
      const { statusCode, headers } = error as { statusCode: number; headers: Record<string, string> }
      return httpFault(statusCode, headers['retry-after'] ?? null, Date.now())
    }
    case ErrorCode.PlatformError:
      return platformFault((error as { data?: { error?: unknown } }).data?.error)
    case ErrorCode.RequestError:
      return networkFault((error as { original?: unknown }).original, signal)
    default:
      // The library throws a bare Error for 429 without a readable Retry-After.
      if (error instanceof Error && error.message.startsWith('Retry header')) {
        return new DeliveryFault('retry', 'slack_rate_limited', RATE_LIMIT_PAUSE_MS)
      }
      return networkFault(error, signal)
  }
}

function retryAfterOf(error: unknown): number {
  const seconds = (error as { retryAfter?: unknown }).retryAfter
  return (
    httpFault(429, typeof seconds === 'number' ? String(Math.ceil(seconds)) : null, Date.now()).retryAfterMs ??
    RATE_LIMIT_PAUSE_MS
  )
}

/** `ok: false`. Anything that is not one of Slack's words is the text of something in between, and passes. */
function platformFault(word: unknown): DeliveryFault {
  if (typeof word !== 'string' || !/^[a-z_]{2,60}$/.test(word)) return new DeliveryFault('retry', 'slack_unreadable_answer')
  if (REFUSES_DESTINATION.has(word)) return new DeliveryFault('destination', `slack_${word}`)
  if (PASSES.has(word)) return new DeliveryFault('retry', `slack_${word}`, word.includes('limited') ? RATE_LIMIT_PAUSE_MS : null)
  return new DeliveryFault('message', `slack_${word}`)
}
