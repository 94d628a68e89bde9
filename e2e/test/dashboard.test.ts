/** The dashboard in a real browser, on the whole stack: what a person sees and does. One stack for all of its pages. */
import './dashboard/rules.ts'
import './dashboard/triage.ts'
import { issueSignInLink } from '@tocsin/access'
import type { OrganizationCreated } from '@tocsin/contracts'
import { waitFor } from '@tocsin/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Dashboard, failures, rowOf, SOON, sharedDashboard, statusOf } from '../src/dashboard.ts'
import { allAlerts, api, post, postEvents } from '../src/installation.ts'
import { type OwnStack, sharedStack } from '../src/stack.ts'

/** As sent by a hostile producer; it must be read as text wherever it is shown. */
const HOSTILE = '<img src=x onerror="document.title=\'broken\'"><b>mallory</b>'
let stack: OwnStack
let dashboard: Dashboard
let acme: OrganizationCreated

beforeAll(async () => {
  ;[stack, dashboard] = await Promise.all([sharedStack(), sharedDashboard()])
  acme = await stack.tenant('acme')
})
afterAll(async () => {
  await dashboard?.close()
  await stack?.stop()
})

test('without a sign-in the page explains the one-time link, and a used link says so', async () => {
  const page = await dashboard.newPage()
  await page.goto(stack.gatewayUrl)
  await page.getByText('You are not signed in').waitFor()
  expect(await page.textContent('main')).toContain('npm start')
  const link = await issueSignInLink(stack.keys, stack.gatewayUrl, `admin@${acme.slug}`)
  expect((await page.goto(link))?.status()).toBe(200)
  await page.waitForURL(`${stack.gatewayUrl}/`)
  expect((await page.goto(link))?.status()).toBe(410)
  await page.context().close()
})

test('an empty list tells a newcomer what to do, and the first alert appears by itself', async () => {
  const page = await dashboard.signedIn(acme)
  await page.getByText('no alert yet').waitFor()
  await page.locator('.connection-live').waitFor()
  expect(await page.textContent('pre')).toContain(`curl -sS ${stack.gatewayUrl}/v1/events`)
  await dashboard.attack(acme, HOSTILE)
  await rowOf(page, '<b>mallory</b>').waitFor()
  expect(await page.locator('.rows b, .rows img').count()).toBe(0)
  await page.locator('[aria-live=polite]', { hasText: 'New high alert' }).waitFor({ state: 'attached' })

  await page.keyboard.press('j')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: '<b>mallory</b>' }).waitFor()
  const evidence = page.locator('table tbody tr')
  await evidence.nth(4).waitFor()
  expect(await evidence.count()).toBe(5)
  expect(await evidence.first().textContent()).toMatch(/auth\.login.*failure.*192\.0\.2\.7.*main.*audit\.events\/\d+ @ \d+/)
  await page.locator('.timeline', { hasText: 'acme@example.org' }).locator('.delivery-sent').first().waitFor()
  expect(await page.textContent('.facts')).toContain('Repeated failed authentication')
  expect(await page.title()).toContain('<b>mallory</b>')
  await page.context().close()
})

test('what one person does by the keyboard, another sees at once', async () => {
  const [ann, bob] = await Promise.all([dashboard.signedIn(acme), dashboard.signedIn(acme)])
  await dashboard.attack(acme, 'carol')
  await Promise.all([rowOf(ann, 'carol').waitFor(), rowOf(bob, 'carol').waitFor()])
  await rowOf(ann, 'carol').locator('a').focus()

  await ann.keyboard.press('a')
  await statusOf(bob, 'carol', 'acknowledged')
  await statusOf(ann, 'carol', 'acknowledged')

  await ann.keyboard.press('r')
  const dialog = ann.getByRole('dialog', { name: 'Resolve' })
  await dialog.waitFor()
  await dialog.getByRole('button', { name: 'Resolve' }).click()
  // Without a note it stays open.
  expect(await dialog.isVisible()).toBe(true)
  await ann.keyboard.type('Her keyboard was broken; password reset.')
  await dialog.getByRole('button', { name: 'Resolve' }).click()
  await dialog.waitFor({ state: 'hidden' })
  await statusOf(bob, 'carol', 'resolved')
  await rowOf(bob, 'carol').click()
  await bob
    .locator('.timeline', { hasText: `resolved by admin@${acme.slug}` })
    .getByText('Her keyboard was broken')
    .waitFor()
  // What an ended alert still takes, and nothing else.
  const offered = await bob
    .locator('.alert-head .actions button')
    .evaluateAll((all) => all.map((each) => each.getAttribute('aria-label')))
  expect(offered).toEqual(['Reopen', 'Assign to me', 'Assign', 'Comment', 'Labels'])
  await Promise.all([ann.context().close(), bob.context().close()])
})

test('dismissing asks for a reason, and the alert leaves a list of active ones', async () => {
  const page = await dashboard.signedIn(acme)
  await dashboard.attack(acme, 'dave')
  await rowOf(page, 'dave').waitFor()
  await page.getByRole('button', { name: 'active', exact: true }).click()
  await page.waitForURL(/\?status=active$/)
  await rowOf(page, 'carol').waitFor({ state: 'detached' })
  await rowOf(page, 'dave').locator('a').focus()
  await page.keyboard.press('d')
  const dialog = page.getByRole('dialog', { name: 'Dismiss' })
  await dialog.getByLabel('benign').check()
  await dialog.getByRole('button', { name: 'Dismiss' }).click()
  await rowOf(page, 'dave').waitFor({ state: 'detached' })
  const dave = (await allAlerts(stack.gatewayUrl, acme)).find((alert) => alert.group['principalId'] === 'dave')
  expect(dave).toMatchObject({ status: 'dismissed', dismissReason: 'benign', dismissedBy: `admin@${acme.slug}` })

  await page.goto(`${stack.gatewayUrl}/?status=dismissed&severity=HIGH`)
  await rowOf(page, 'dave').waitFor()
  expect(await page.getByRole('button', { name: 'dismissed' }).getAttribute('aria-pressed')).toBe('true')
  await page.context().close()
})

test('while the gateway is away the page says so, and afterwards it shows what happened meanwhile without being reloaded', async () => {
  const page = await dashboard.signedIn(acme)
  await page.locator('.connection-live').waitFor()
  await page.evaluate(() => Object.assign(globalThis, { sameDocument: true }))
  await stack.stopProcess('gateway')
  await page.locator('.connection-offline, .connection-connecting').first().waitFor()
  const ingest = `http://127.0.0.1:${stack.ports.ingest}`
  expect((await post(ingest, acme.ingestKey, JSON.stringify(failures('erin')))).status).toBe(202)
  await stack.startProcess('gateway')
  await rowOf(page, 'erin').waitFor()
  await page.locator('.connection-live').waitFor()
  expect(await page.evaluate(() => 'sameDocument' in globalThis)).toBe(true)
  await page.context().close()
})

test('hundreds of alerts scroll, and only what is seen is in the page', async () => {
  const busy = await stack.tenant('busy')
  for (let n = 0; n < 300; n += 50)
    expect(
      (
        await postEvents(
          stack.gatewayUrl,
          busy,
          Array.from({ length: 50 }, (_, m) => failures(`p-${n + m}-`, `198.51.100.${(n + m) % 250}`)).flat(),
        )
      ).status,
    ).toBe(202)
  await waitFor(async () => (await allAlerts(stack.gatewayUrl, busy)).length === 300, { limitMs: 60_000, what: '300 alerts' })
  const page = await dashboard.signedIn(busy)
  await page.locator('.rows li').first().waitFor()
  expect(await page.locator('.rows li').count()).toBeLessThan(60)
  const last = (await allAlerts(stack.gatewayUrl, busy)).at(-1)?.group['principalId'] ?? ''
  await waitFor(
    async () => {
      await page.locator('.rows').evaluate((rows) => rows.scrollTo(0, rows.scrollHeight))
      return (await rowOf(page, `${last}`).count()) > 0
    },
    { limitMs: SOON, what: 'the last row' },
  )
  expect(await page.locator('.rows li').last().getAttribute('aria-setsize')).toBe('300')
  await page.context().close()
})

test('an organization that would tell nobody says so on every page, and a foreign alert is not there', async () => {
  const mute = await api<OrganizationCreated>(stack.gatewayUrl, stack.operatorToken, '/api/organizations', {
    method: 'POST',
    body: { name: 'Mute', slug: 'mute' },
  })
  expect(mute.status).toBe(201)
  const page = await dashboard.signedIn(mute.body)
  await page.locator('.banner').waitFor()
  const [foreign] = await allAlerts(stack.gatewayUrl, acme)
  await page.goto(`${stack.gatewayUrl}/alerts/${foreign?.id}`)
  await page.getByText('There is no such alert').waitFor()
  await page.locator('.banner').waitFor()
  await page.context().close()
})

test('signing out ends the session', async () => {
  const page = await dashboard.signedIn(acme, { colorScheme: 'dark' })
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByText('You are not signed in').waitFor()
  await page.reload()
  await page.getByText('You are not signed in').waitFor()
  await page.context().close()
})

test('no page had an error or broke the content security policy', () => {
  expect(dashboard.complaints).toEqual([])
})
