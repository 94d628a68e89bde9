/** Rules, exceptions and statistics in a real browser. */
import type { OrganizationCreated, RuleWithText } from '@tocsin/contracts'
import type { Page } from 'playwright-core'
import { beforeAll, expect, test } from 'vitest'
import { type Dashboard, rowOf, sharedDashboard } from '../../src/dashboard.ts'
import { api } from '../../src/installation.ts'
import { type OwnStack, sharedStack } from '../../src/stack.ts'

const PACK_RULE = 'tocsin.failed-auth'
const OWN_RULE = 'acme.failed-logins'
let stack: OwnStack
let dashboard: Dashboard
let acme: OrganizationCreated
let page: Page

beforeAll(async () => {
  ;[stack, dashboard] = await Promise.all([sharedStack(), sharedDashboard()])
  acme = await stack.tenant('rules')
  await dashboard.attack(acme, 'mallory')
  page = await dashboard.signedIn(acme)
  await rowOf(page, 'mallory').waitFor()
})

const ruleOf = async (ruleId: string) => (await api<RuleWithText>(stack.gatewayUrl, acme.token, `/api/rules/${ruleId}`)).body
const open = (ruleId: string) => page.goto(`${stack.gatewayUrl}/rules/${ruleId}`)
const decide = async (button: string, reason: string) => {
  await page.getByRole('button', { name: button, exact: true }).first().click()
  const dialog = page.getByRole('dialog', { name: button })
  await dialog.getByLabel('Reason').fill(reason)
  await dialog.getByRole('button', { name: button }).click()
  await dialog.waitFor({ state: 'hidden' })
}

test('the list tells what fires, and a rule of the installation is read, paused and resumed, and not changed', async () => {
  await page.getByRole('link', { name: 'Rules' }).click()
  const row = page.getByRole('row', { name: PACK_RULE })
  await row.getByText('ago').waitFor()
  expect(await row.textContent()).toMatch(/active.*the installation.*0 %/)
  await row.getByRole('link').click()
  await page.getByText('belongs to the installation').waitFor()
  expect(await page.getByRole('button', { name: 'Edit' }).count()).toBe(0)
  await decide('Pause', 'too loud today')
  await page.locator('.rule-paused').waitFor()
  expect(await ruleOf(PACK_RULE)).toMatchObject({ state: 'paused' })
  await page.locator('.timeline').getByText('too loud today').waitFor()
  await decide('Resume', 'quiet again')
  await page.locator('.rule-active').waitFor()
})

test('a new rule is checked, tested, saved, activated, edited, compared and retired', async () => {
  await page.goto(`${stack.gatewayUrl}/new-rule`)
  await page.getByLabel('Id of the rule').fill(OWN_RULE)
  const text = page.getByLabel('Text of the rule')
  const good = await text.inputValue()
  await text.fill(`${good}nonsense: [`)
  await page.getByRole('button', { name: 'Check' }).click()
  await page
    .getByText(/line \d+, column \d+/)
    .first()
    .waitFor()
  await text.fill(good)
  await page.getByRole('button', { name: 'Run its tests' }).click()
  await page.getByText('All 1 tests passed').waitFor()
  await page.getByLabel('Reason of the change').fill('we want to know')
  await page.getByRole('button', { name: 'Save the draft' }).click()
  await page.waitForURL(`**/rules/${OWN_RULE}`)
  await page.locator('.rule-draft').waitFor()
  await decide('Activate', 'tried')
  await page.locator('.rule-active').waitFor()

  await page.getByRole('button', { name: 'Edit' }).click()
  await text.fill(good.replace('level: high', 'level: low'))
  await page.getByLabel('Reason of the change').fill('less loud')
  await page.getByRole('button', { name: 'Save the draft' }).click()
  await page.getByText('active, new draft').waitFor()
  await page.getByRole('button', { name: 'What changed' }).first().click()
  await page.locator('.diff-added', { hasText: '+level: low' }).waitFor()
  await page.locator('.diff-removed', { hasText: '-level: high' }).waitFor()

  // Somebody else saves meanwhile.
  await page.getByRole('button', { name: 'Edit' }).click()
  const other = await api(stack.gatewayUrl, acme.token, `/api/rules/${OWN_RULE}`, {
    method: 'PUT',
    body: { content: good.replace('level: high', 'level: medium'), reason: 'mine' },
  })
  expect(other.status).toBe(200)
  await page.getByLabel('Reason of the change').fill('again')
  await page.getByRole('button', { name: 'Save the draft' }).click()
  await page.getByText('The rule is not as you read it').waitFor()
  await page.getByRole('button', { name: 'Cancel' }).click()
  await page.locator('pre.rule-text', { hasText: 'level: medium' }).waitFor()

  await decide('Retire', 'enough of it')
  await page.locator('.rule-retired').waitFor()
  expect(await ruleOf(OWN_RULE)).toMatchObject({ state: 'retired' })
})

test('events are explained, and a backtest counts the alerts at other thresholds', async () => {
  await open(PACK_RULE)
  await page.getByRole('button', { name: 'Explain events' }).click()
  await page
    .getByLabel('Events, one a line')
    .fill('{"timestamp":"2026-03-01T10:00:00Z","principalId":"u1","action":"auth.login","status":"failure"}')
  await page.getByRole('button', { name: 'Explain', exact: true }).click()
  await page.locator('.explanation .good').first().waitFor()
  await page.getByText('no alert').waitFor()

  await page.getByLabel('Over').selectOption('1')
  await page.getByRole('button', { name: 'Run it', exact: true }).click()
  const bars = page.getByRole('table', { name: 'Alerts with the threshold multiplied' })
  await bars.waitFor()
  expect(await bars.getByRole('row').allTextContents()).toEqual(['Times the thresholdAlerts', '× 0.51', '× 11', '× 20', '× 40'])
  await page.getByRole('region', { name: 'The first alerts' }).getByText('mallory').waitFor()
})

test('an exception is made from an alert after seeing what it would have hidden, and ended', async () => {
  await page.goto(stack.gatewayUrl)
  await rowOf(page, 'mallory').locator('a').click()
  await page.getByRole('link', { name: 'Make an exception' }).click()
  await page.getByText('1 of 1 alerts').waitFor()
  const match = page.getByLabel('that match')
  expect(JSON.parse(await match.inputValue())).toEqual({ principalId: 'mallory' })
  await match.fill('{"principalId": ')
  expect(await page.getByRole('button', { name: 'Make the exception' }).isDisabled()).toBe(true)
  await page.getByRole('button', { name: 'Show what it would' }).click()
  await page.getByText('The selection is no JSON').waitFor()
  await match.fill('{"principalId": "mallory"}')
  await page.getByRole('button', { name: 'Show what it would' }).click()
  await page.getByText('1 of 1 alerts').waitFor()
  await page.getByLabel('because').fill('her job')
  await page.getByRole('button', { name: 'Make the exception' }).click()
  await page.getByText('The exception is made').waitFor()

  await page.getByRole('link', { name: 'All exceptions' }).click()
  const row = page.getByRole('row', { name: 'her job' })
  expect(await row.textContent()).toContain(`admin@${acme.slug}`)
  await row.getByRole('button', { name: 'End' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'End' }).click()
  await page.getByText('No events are kept out').waitFor()
})

test('a rule of a folder says where it is changed, and a viewer reads rules only', async () => {
  const { text } = await ruleOf(OWN_RULE)
  const applied = await api(stack.gatewayUrl, acme.token, '/api/rules/apply', {
    method: 'POST',
    body: { folder: 'night', rules: [{ ruleId: 'night.logins', content: text.content }], reason: 'as agreed' },
  })
  expect(applied.status).toBe(200)
  await open('night.logins')
  await page.getByText('belongs to the folder night: change it there').waitFor()
  expect(await page.getByRole('button', { name: /Edit|Retire|Activate/ }).count()).toBe(0)
  expect(await page.getByRole('button', { name: 'Pause' }).count()).toBe(1)

  const viewer = await dashboard.signedIn(acme, { subject: await dashboard.member(acme, 'viewer') })
  await viewer.goto(`${stack.gatewayUrl}/rules/night.logins`)
  await viewer.getByText('Your role may read rules and not change them').waitFor()
  expect(await viewer.getByRole('button', { name: /Pause|Edit|Run it$/ }).count()).toBe(0)
  expect(await viewer.getByRole('link', { name: 'Exceptions' }).count()).toBe(0)
  await viewer.context().close()
})

test('statistics sum to the total, with the trend as a table behind', async () => {
  await page.getByRole('link', { name: 'Statistics' }).click()
  await page.getByText('1 alert').waitFor()
  const stateOf = page.getByRole('table', { name: 'By state' }).getByRole('row')
  expect(await stateOf.allTextContents()).toContain('active1')
  await page.getByRole('row', { name: /^high 1 h/ }).waitFor()
  await page.getByRole('button', { name: '24 hours' }).click()
  await page.waitForURL(/days=1$/)
  await page.getByText('The figures as a table').click()
  expect(await page.locator('.trend + details tbody tr').count()).toBeGreaterThanOrEqual(24)
  await page.getByRole('region', { name: 'By rule' }).getByRole('link').first().click()
  await page.waitForURL(/rule=tocsin\.failed-auth/)
  await rowOf(page, 'mallory').waitFor()
})

test('no page had an error or broke the content security policy', () => {
  expect(dashboard.complaints).toEqual([])
})
