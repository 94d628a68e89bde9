/** Finding alerts and acting on them, in a real browser: filters in the address, many at once, who was first, what a role may see. */
import { readFileSync } from 'node:fs'
import type { OrganizationCreated } from '@tocsin/contracts'
import { waitFor } from '@tocsin/testing'
import type { Page } from 'playwright-core'
import { beforeAll, expect, test } from 'vitest'
import { type Dashboard, rowOf, SOON, sharedDashboard, statusOf } from '../../src/dashboard.ts'
import { allAlerts } from '../../src/installation.ts'
import { type OwnStack, sharedStack } from '../../src/stack.ts'

const PRINCIPALS = ['ada', 'bert', 'cleo', 'dora']
let stack: OwnStack
let dashboard: Dashboard
let acme: OrganizationCreated
let page: Page

beforeAll(async () => {
  ;[stack, dashboard] = await Promise.all([sharedStack(), sharedDashboard()])
  acme = await stack.tenant('triage')
  // From an address each: more accounts from one would be an alert of their own.
  for (const [n, principal] of PRINCIPALS.entries()) await dashboard.attack(acme, principal, `192.0.2.${n + 1}`)
  await waitFor(async () => (await allAlerts(stack.gatewayUrl, acme)).length === PRINCIPALS.length, {
    limitMs: SOON,
    what: 'an alert of each',
  })
  page = await dashboard.signedIn(acme)
})

const shown = async () => (await page.locator('.rows li .cut:first-child').allTextContents()).join(' ')
const alertOfPrincipal = async (principal: string) => {
  const found = (await allAlerts(stack.gatewayUrl, acme)).find((alert) => alert.group['principalId'] === principal)
  if (found === undefined) throw new Error(`no alert of ${principal}`)
  return found
}

test('words, filters, order and the exact total are in the address, and a reload shows the same', async () => {
  await rowOf(page, 'ada').waitFor()
  await page.keyboard.press('/')
  await page.keyboard.type('cleo')
  await page.keyboard.press('Enter')
  await rowOf(page, 'ada').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Count all' }).click()
  await page.getByText('1 alert, counted').waitFor()
  await page.waitForURL(/q=cleo/)
  await page.reload()
  await page.getByText('1 alert, counted').waitFor()
  expect(await page.getByLabel('Search').inputValue()).toBe('cleo')
  expect(await shown()).toContain('cleo')

  await page.getByRole('button', { name: 'Show all' }).click()
  await page.getByText('More filters').click()
  await page.getByLabel('Subject').fill('bert')
  await page.keyboard.press('Enter')
  await rowOf(page, 'cleo').waitFor({ state: 'detached' })
  await rowOf(page, 'bert').waitFor()
  await page.getByLabel('Rule').fill('no.such.rule')
  await page.keyboard.press('Enter')
  await page.getByText('No alert matches these filters').waitFor()

  await page.getByRole('button', { name: 'Show all' }).click()
  await page.getByText('More filters').click()
  await page.getByRole('button', { name: 'also merged into others' }).click()
  await page.waitForURL(/merged=true/)
  await page.getByRole('button', { name: 'also merged into others', pressed: true }).waitFor()
  await rowOf(page, 'dora').waitFor()

  await page.goto(`${stack.gatewayUrl}/?sort=created&order=asc`)
  await page.getByRole('list', { name: 'Alerts, oldest first' }).waitFor()
  expect(await page.locator('.rows li').first().textContent()).toContain('ada')
})

test('all that the filters fit is saved as a file, and nothing else', async () => {
  await page.goto(`${stack.gatewayUrl}/?q=cleo`)
  await rowOf(page, 'cleo').waitFor()
  for (const format of ['csv', 'ndjson']) {
    const link = page.getByRole('link', { name: format.toUpperCase(), exact: true })
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()])
    expect(download.suggestedFilename()).toBe(`alerts.${format}`)
    const saved = readFileSync(await download.path(), 'utf8')
    expect(saved).toContain('cleo')
    expect(saved).not.toContain('dora')
  }
})

test('a view that the socket cannot keep says that there is news, and shows it when asked', async () => {
  await page.goto(`${stack.gatewayUrl}/?q=late`)
  await page.getByText('No alert matches').waitFor()
  await page.locator('.connection-live').waitFor()
  await dashboard.attack(acme, 'late', '192.0.2.9')
  await page.getByRole('button', { name: 'Show them' }).click()
  await rowOf(page, 'late').waitFor()
})

test('many are acted on at once: counted first, each with a result', async () => {
  await page.goto(`${stack.gatewayUrl}/`)
  for (const principal of ['ada', 'bert']) await rowOf(page, principal).getByRole('checkbox').check()
  await page.getByText('2 chosen').waitFor()
  const bar = page.getByRole('group', { name: 'Act on many' })
  await bar.getByRole('button', { name: 'Resolve' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('2 alerts, each with an entry').waitFor()
  await dialog.getByLabel('What was it?').fill('A drill.')
  await dialog.getByRole('button', { name: 'Resolve' }).click()
  await dialog.getByText('done on 2 of 2').waitFor()
  await dialog.getByRole('button', { name: 'Close' }).click()
  await statusOf(page, 'ada', 'resolved')

  // All that fit, of which two had ended.
  await page.goto(`${stack.gatewayUrl}/?severity=HIGH&q=ada`)
  await rowOf(page, 'ada').waitFor()
  await page.getByRole('button', { name: 'Act on all of them' }).click()
  await bar.getByRole('button', { name: 'Acknowledge' }).click()
  await dialog.getByText('1 alert, each').waitFor()
  await dialog.getByRole('button', { name: 'Acknowledge' }).click()
  await dialog.getByText('1 left as before: it had ended').waitFor()
  await dialog.getByRole('button', { name: 'Close' }).click()
})

test('whoever is overtaken is told who was first, sees the alert as it is now, and may decide again', async () => {
  const { id } = await alertOfPrincipal('cleo')
  const bob = await dashboard.signedIn(acme, { subject: await dashboard.member(acme, 'responder') })
  await Promise.all([page, bob].map((each) => each.goto(`${stack.gatewayUrl}/alerts/${id}`)))
  await page.getByRole('heading', { level: 1, name: 'cleo' }).waitFor()
  await page.keyboard.press('r')
  await page.getByLabel('What was it?').fill('Nothing.')
  await bob.getByRole('button', { name: 'Acknowledge' }).click()
  await bob.locator('.alert-badges .status', { hasText: 'acknowledged' }).waitFor()
  const dialog = page.getByRole('dialog', { name: 'Resolve' })
  await dialog.getByRole('button', { name: 'Resolve' }).click()
  await dialog.getByText(`responder@${acme.slug} was first`).waitFor()
  await dialog.locator('.status', { hasText: 'acknowledged' }).waitFor()
  await dialog.getByLabel('What was done about it?').fill('Called her.')
  await dialog.getByRole('button', { name: 'Resolve' }).click()
  await dialog.waitFor({ state: 'hidden' })
  expect(await alertOfPrincipal('cleo')).toMatchObject({ status: 'resolved', resolutionAction: 'Called her.' })
  await bob.context().close()
})

test('the alert page saves its evidence in each format and leads to other alerts of the subject', async () => {
  const { id } = await alertOfPrincipal('dora')
  await page.goto(`${stack.gatewayUrl}/alerts/${id}`)
  for (const [button, name] of [
    ['Save as JSON', `alert-${id}.json`],
    ['Save as OCSF finding', `alert-${id}.ocsf.json`],
    ['Save as CSV', `alert-${id}.csv`],
  ] as const) {
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: button }).click()])
    expect(download.suggestedFilename()).toBe(name)
  }
  await page.getByText('There is no other.').waitFor()
})

test('a viewer is offered no search and no act, and reads that values are masked', async () => {
  const { id } = await alertOfPrincipal('dora')
  const viewer = await dashboard.signedIn(acme, { subject: await dashboard.member(acme, 'viewer') })
  await viewer.locator('.rows li').first().waitFor()
  expect(await viewer.getByLabel('Search').count()).toBe(0)
  expect(await viewer.getByRole('checkbox').count()).toBe(0)
  await viewer.getByText('More filters').click()
  await viewer.getByLabel('Assignee').waitFor()
  expect(await viewer.getByLabel('Subject').count()).toBe(0)

  await viewer.goto(`${stack.gatewayUrl}/alerts/${id}`)
  await viewer.getByText('Your role may read this alert and not change it.').waitFor()
  await viewer.locator('table .masked').first().waitFor()
  expect(await viewer.textContent('main')).not.toContain('dora')
  expect(await viewer.getByRole('button', { name: 'Save as JSON' }).count()).toBe(0)

  await viewer.goto(`${stack.gatewayUrl}/?q=dora`)
  await viewer.getByText('looks into what you may not read').waitFor()
  await viewer.context().close()
})

test('no page had an error or broke the content security policy', () => {
  expect(dashboard.complaints).toEqual([])
})
