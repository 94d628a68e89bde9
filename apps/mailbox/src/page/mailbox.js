// Everything shown here was sent by somebody: it is set as text, never as HTML; a mail's HTML stays in its sandboxed frame.
const REFRESH_MS = 2000
// The frame of a mail lets no link be followed, so the alert's is shown beside it.
const ALERT_LINK = /https?:\/\/[^\s<>|"']+\/alerts\/[0-9a-f-]{36}/
const list = document.querySelector('#list')
const pane = document.querySelector('#message')
const state = document.querySelector('#state')
const search = document.querySelector('#search')

let messages = []
let chosen = location.hash.slice(1)
let shown = ''

const make = (name, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(name), properties)
  element.append(...children.filter((child) => child !== null))
  return element
}
const kindName = { mail: 'E-mail', slack: 'Slack', sms: 'SMS' }
const firstLine = (text) => text.split('\n', 1)[0].slice(0, 200)
const plain = (text) =>
  text
    .replace(/<([^|>]+)\|([^>]+)>/g, '$2 ($1)')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&')
const titleOf = (message) =>
  message.subject || firstLine(message.kind === 'slack' ? plain(message.text) : message.text) || '(empty)'
const kindChosen = () => document.querySelector('input[name="kind"]:checked').value

function matching() {
  const words = search.value.trim().toLowerCase()
  const kind = kindChosen()
  return messages.filter(
    (message) =>
      (kind === '' || message.kind === kind) &&
      (words === '' || `${titleOf(message)} ${message.to} ${message.text}`.toLowerCase().includes(words)),
  )
}

function renderList() {
  const focused = document.activeElement?.dataset?.id
  const found = matching()
  list.replaceChildren(
    ...found.slice(0, 500).map((message) => {
      const button = make(
        'button',
        { type: 'button', onclick: () => choose(message.id) },
        make('span', { className: 'kind', textContent: kindName[message.kind] }),
        make('span', { className: 'subject', textContent: titleOf(message) }),
        make('time', { dateTime: message.at, textContent: new Date(message.at).toLocaleTimeString() }),
        make('span', { className: 'to', textContent: `to ${message.to}${slackNote(message)}` }),
      )
      button.dataset.id = message.id
      button.setAttribute('aria-current', String(message.id === chosen))
      return make('li', {}, button)
    }),
  )
  if (found.length === 0) {
    const text = messages.length === 0 ? 'No message yet. It refreshes by itself.' : 'No message matches.'
    list.append(make('li', { className: 'quiet', textContent: text }))
  }
  if (focused) list.querySelector(`[data-id="${CSS.escape(focused)}"]`)?.focus()
}

const slackNote = ({ slack }) => (slack && slack.updates.length > 0 ? ` · changed ${slack.updates.length} ×` : '')

function choose(id) {
  chosen = id
  history.replaceState(null, '', `#${id}`)
  render()
}

function renderMessage() {
  const message = messages.find(({ id }) => id === chosen)
  const key = message ? JSON.stringify([message.id, message.slack?.updates.length, message.slack?.thread.length]) : ''
  if (key === shown) return // a frame that is being read is not loaded anew
  shown = key
  if (!message) {
    pane.replaceChildren(make('p', { className: 'quiet', textContent: 'Choose a message.' }))
    return
  }
  const link = ALERT_LINK.exec(message.text)?.[0]
  const facts = [
    ['To', message.to],
    ...(message.from ? [['From', message.from]] : []),
    ['At', new Date(message.at).toLocaleString()],
    ...(link ? [['Alert', make('a', { href: link, target: '_blank', rel: 'noreferrer', textContent: link })]] : []),
  ]
  pane.replaceChildren(
    make('h2', { textContent: titleOf(message) }),
    make('dl', {}, ...facts.flatMap(([label, value]) => [make('dt', { textContent: label }), make('dd', {}, value)])),
    ...contentOf(message),
  )
}

function contentOf(message) {
  if (message.kind === 'slack') return slackContent(message)
  if (!message.html) return [make('pre', { textContent: message.text })]
  const frame = make('iframe', { src: `/api/messages/${encodeURIComponent(message.id)}/html`, title: 'The mail as HTML' })
  frame.setAttribute('sandbox', '')
  const headers = Object.entries(message.headers ?? {}).flatMap(([name, value]) => [
    make('dt', { textContent: name }),
    make('dd', { textContent: value }),
  ])
  return [
    frame,
    make('details', {}, make('summary', { textContent: 'As text' }), make('pre', { textContent: message.text })),
    make('details', {}, make('summary', { textContent: 'Headers' }), make('dl', {}, ...headers)),
  ]
}

function slackContent({ text, slack }) {
  const thread = slack.thread.map((line) =>
    make(
      'div',
      {},
      make('time', { className: 'quiet', textContent: `${new Date(line.at).toLocaleTimeString()} ` }),
      plain(line.text),
    ),
  )
  const earlier = slack.updates
    .toReversed()
    .map((update) =>
      make(
        'details',
        {},
        make('summary', { textContent: `Before the change at ${new Date(update.at).toLocaleTimeString()}` }),
        slackCard(update.text, update.blocks),
      ),
    )
  return [
    slackCard(text, slack.blocks),
    thread.length > 0 ? make('div', { className: 'thread' }, make('strong', { textContent: 'Thread' }), ...thread) : null,
    ...earlier,
  ].filter((element) => element !== null)
}

function slackCard(text, blocks) {
  if (blocks.length === 0) return make('div', { className: 'slack', textContent: plain(text) })
  return make('div', { className: 'slack' }, ...blocks.map(slackBlock))
}

function slackBlock(block) {
  if (block.type === 'header') return make('h3', { textContent: plain(block.text.text) })
  if (block.type === 'context') {
    return make('div', {
      className: 'context',
      textContent: block.elements.map((element) => plain(element.text ?? '')).join(' '),
    })
  }
  const text = block.text ? make('div', { textContent: plain(block.text.text) }) : null
  const fields = block.fields?.map((field) => make('div', { textContent: plain(field.text) })) ?? []
  return make('div', {}, text, fields.length > 0 ? make('div', { className: 'fields' }, ...fields) : null)
}

function render() {
  renderList()
  renderMessage()
}

async function refresh() {
  try {
    const response = await fetch('/api/messages', { signal: AbortSignal.timeout(10_000) })
    if (!response.ok) throw new Error(`status ${response.status}`)
    const { items } = await response.json()
    state.textContent = ''
    const stamp = (all) => JSON.stringify(all.map(({ id, slack }) => [id, slack?.updates.length, slack?.thread.length]))
    if (stamp(items) !== stamp(messages)) {
      messages = items
      if (chosen === '' && items.length > 0) chosen = items[0].id
      render()
    }
  } catch {
    state.textContent = 'The mailbox does not answer. Is npm start still running?'
  }
  setTimeout(refresh, REFRESH_MS)
}

for (const radio of document.querySelectorAll('input[name="kind"]')) radio.addEventListener('change', renderList)
search.addEventListener('input', renderList)
document.querySelector('#empty').addEventListener('click', async () => {
  await fetch('/api/messages', { method: 'DELETE' })
  messages = []
  chosen = ''
  render()
})
render()
await refresh()
