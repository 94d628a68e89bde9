import { createTransport } from 'nodemailer'
import { type Static, Type } from 'typebox'
import { type Channel, DeliveryFault, type SendContext, type Telling } from './channel.ts'
import { factsOf, headlineOf, notesOf, oneLine, runbookOf, sentenceOf, subjectOf } from './wording.ts'

export const EmailConfig = Type.Object({
  SMTP_URL: Type.String({
    description: 'Mail server: smtp://[user:password@]host:port, or smtps:// for TLS from the start',
    pattern: '^smtps?://',
    secret: true,
  }),
  MAIL_FROM: Type.String({
    description: 'Sender: address or Name <address>; the domain is part of every Message-ID',
    pattern: '^(?:[^<>"\\r\\n]*<[^\\s<>@]+@[^\\s<>@]+>|[^\\s<>@]+@[^\\s<>@]+)$',
  }),
  SEND_TIMEOUT_MS: Type.Integer({ description: 'Longest time of one attempt, milliseconds', minimum: 100, default: 10_000 }),
})

export interface EmailMessage {
  readonly messageId: string
  readonly subject: string
  readonly headers: Readonly<Record<string, string>>
  readonly text: string
  readonly html: string
}

/** One plain address; anything that could add a recipient or a header is refused, not repaired. */
const ADDRESS = /^[^\s@<>()[\],;:"\\]{1,64}@[^\s@<>()[\],;:"\\]{1,190}$/

export function createEmail(config: Static<typeof EmailConfig>): Channel<EmailMessage> {
  const from = senderOf(config.MAIL_FROM)
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1)
  const transport = createTransport({
    url: config.SMTP_URL,
    connectionTimeout: config.SEND_TIMEOUT_MS,
    greetingTimeout: config.SEND_TIMEOUT_MS,
    socketTimeout: config.SEND_TIMEOUT_MS,
    socketCloseTimeout: 500,
    disableFileAccess: true,
    disableUrlAccess: true,
    logger: false,
  })
  return {
    name: 'email',
    render: (telling) => renderEmail(telling, domain),
    close: () => transport.close(),
    async send(message, { destination, previous, signal }: SendContext) {
      if (!ADDRESS.test(destination)) throw new DeliveryFault('destination', 'email_invalid_address')
      const first = previous?.messageId
      try {
        await transport.sendMail({
          from,
          to: { name: '', address: destination },
          subject: message.subject,
          messageId: message.messageId,
          // A retry of the first mail is not an answer to itself.
          ...(first === undefined || first === message.messageId ? {} : { inReplyTo: first, references: [first] }),
          headers: { ...message.headers },
          text: message.text,
          html: message.html,
          signal,
        })
      } catch (error) {
        throw smtpFault(error, signal)
      }
      return { providerId: message.messageId, ref: { messageId: message.messageId } }
    },
  }
}

function senderOf(text: string): { readonly name: string; readonly address: string } {
  const named = /^(.*)<([^<>]+)>$/.exec(text)
  return named === null ? { name: 'Tocsin', address: text } : { name: named[1]?.trim() ?? '', address: named[2] ?? '' }
}

/** `.0` is the first mail of an alert; later ones are named by their change, so that a repeated attempt keeps its id. */
export function renderEmail(telling: Telling, domain: string): EmailMessage {
  const { alert, change, send, url, organization } = telling
  const suffix = send === 'first' ? '0' : change.toLowerCase().replace(/[^a-z0-9]+/g, '-')
  const runbook = runbookOf(alert)
  const notes = notesOf(telling)
  const facts = factsOf(telling)
  const text = [
    headlineOf(telling),
    '',
    sentenceOf(telling),
    ...notes,
    '',
    oneLine(alert.description),
    '',
    ...facts.map(([label, value]) => `${`${label}:`.padEnd(14)} ${value}`),
    '',
    `Open the alert: ${url}`,
    ...(runbook === null ? [] : [`Runbook: ${runbook}`]),
    '',
    `You get this because ${oneLine(organization)} tells this address about alerts.`,
    '',
  ].join('\n')
  return {
    messageId: `<alert.${alert.id}.${suffix}@${domain}>`,
    subject: `[${alert.type}] ${subjectOf(alert)}`,
    headers: {
      'Auto-Submitted': 'auto-generated',
      'List-ID': `Tocsin alerts <${alert.organizationId}.alerts.${domain}>`,
      'X-Tocsin-Alert': alert.id,
      'X-Tocsin-Event': telling.event,
      ...(alert.severity === 'CRITICAL' ? { Importance: 'high' } : {}),
    },
    text,
    html: htmlOf(telling, facts, notes, runbook),
  }
}

const COLOURS = { CRITICAL: '#b3001b', HIGH: '#b45309', MEDIUM: '#8a6d00', LOW: '#1d5fa8', INFO: '#4b5563' } as const

function htmlOf(
  telling: Telling,
  facts: readonly (readonly [string, string])[],
  notes: readonly string[],
  runbook: string | null,
): string {
  const { alert, url } = telling
  const rows = facts.map(
    ([label, value]) =>
      `<tr><th style="text-align:left;padding:4px 16px 4px 0;color:#555;font-weight:normal;vertical-align:top">${escapeHtml(label)}</th><td style="padding:4px 0">${escapeHtml(value)}</td></tr>`,
  )
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(subjectOf(alert))}</title></head>
<body style="font:15px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#ffffff;margin:0;padding:24px">
<p style="margin:0 0 4px;color:${COLOURS[alert.severity]};font-weight:bold">${alert.severity}</p>
<h1 style="font-size:20px;margin:0 0 12px">${escapeHtml(oneLine(alert.title))}</h1>
<p style="margin:0 0 12px">${escapeHtml(sentenceOf(telling))}</p>
${notes.map((note) => `<p style="margin:0 0 12px;color:#8a6d00">${escapeHtml(note)}</p>`).join('\n')}
<p style="margin:0 0 16px">${escapeHtml(oneLine(alert.description))}</p>
<table style="border-collapse:collapse;margin:0 0 20px">${rows.join('')}</table>
<p><a href="${escapeHtml(url)}" style="background:#1a1a1a;color:#ffffff;padding:10px 16px;border-radius:6px;text-decoration:none">Open the alert</a></p>
${runbook === null ? '' : `<p><a href="${escapeHtml(runbook)}">Runbook</a></p>`}
</body></html>`
}

const HTML_ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (character) => HTML_ESCAPES[character] ?? character)

/**
 * 4xx and everything below SMTP is worth another try. A 5xx refuses the address when it answers RCPT TO, else the message. A failed
 * login is the installation's fault and nobody's destination: it is tried again, and the operator sees the code.
 */
function smtpFault(error: unknown, signal: AbortSignal): DeliveryFault {
  if (signal.aborted) return new DeliveryFault('retry', 'timeout')
  const { code, responseCode, command } = error as { code?: unknown; responseCode?: unknown; command?: unknown }
  if (code === 'EAUTH' || code === 'ENOAUTH') return new DeliveryFault('retry', 'smtp_login_refused')
  if (typeof responseCode === 'number' && responseCode >= 400 && responseCode < 600) {
    if (responseCode < 500) return new DeliveryFault('retry', `smtp_${responseCode}`)
    // 502, 503, 504 and 421-like greetings come from a server that is not itself; no verdict about address or message.
    const aboutAddress = command === 'RCPT TO' || code === 'EENVELOPE'
    const aboutMessage = command === 'DATA' || code === 'EMESSAGE'
    if (!aboutAddress && !aboutMessage) return new DeliveryFault('retry', `smtp_${responseCode}`)
    return new DeliveryFault(aboutAddress ? 'destination' : 'message', `smtp_${responseCode}`)
  }
  if (code === 'EENVELOPE') return new DeliveryFault('destination', 'email_invalid_address')
  return new DeliveryFault(
    'retry',
    typeof code === 'string' && /^E[A-Z]{2,20}$/.test(code) ? `smtp_${code.toLowerCase()}` : 'smtp_network',
  )
}
