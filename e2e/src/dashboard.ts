/** People in front of the dashboard: pages of a real browser, signed in. */
import { issueSignInLink, issueToken } from '@tocsin/access'
import type { Me, OrganizationCreated, Role } from '@tocsin/contracts'
import { waitFor } from '@tocsin/testing'
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import { launchBrowser } from './browser.ts'
import { api, postEvents } from './installation.ts'
import { type OwnStack, sharedStack } from './stack.ts'

/** Longest wait for something that a person would see at once; the machine may be busy. */
export const SOON = 20_000

let shared: Promise<Dashboard> | undefined
/** Of `sharedStack`; who asks for it has an organization of its own there. */
export const sharedDashboard = (): Promise<Dashboard> => {
  shared ??= Dashboard.open(sharedStack())
  return shared
}

export class Dashboard {
  readonly #stack: OwnStack
  readonly #browser: Browser
  /** What pages complained of: scripts, policy violations. */
  readonly complaints: string[] = []

  constructor(stack: OwnStack, browser: Browser) {
    this.#stack = stack
    this.#browser = browser
  }

  static async open(stack: Promise<OwnStack>): Promise<Dashboard> {
    const [started, browser] = await Promise.all([stack, launchBrowser()])
    return new Dashboard(started, browser)
  }

  close = () => this.#browser.close()

  async newPage(options: BrowserContextOptions = {}): Promise<Page> {
    const context = await this.#browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
    context.setDefaultTimeout(SOON)
    const page = await context.newPage()
    page.on('pageerror', (error) => this.complaints.push(error.message))
    page.on('console', (message) => {
      // A request that is meant to fail is told by the browser too.
      if (
        message.type() === 'error' &&
        !message.text().startsWith('Failed to load resource') &&
        !message.text().includes('WebSocket')
      )
        this.complaints.push(message.text())
    })
    return page
  }

  /** As the organization's admin, or as `subject`. */
  async signedIn(
    organization: OrganizationCreated,
    options: BrowserContextOptions & { readonly subject?: string } = {},
  ): Promise<Page> {
    const { subject = `admin@${organization.slug}`, ...context } = options
    const page = await this.newPage(context)
    await page.goto(await issueSignInLink(this.#stack.keys, this.#stack.gatewayUrl, subject))
    await page.waitForURL(`${this.#stack.gatewayUrl}/`)
    return page
  }

  /** A new member, whom every service knows. Returns the subject. */
  async member(organization: OrganizationCreated, role: Role): Promise<string> {
    const subject = `${role}@${organization.slug}`
    const { gatewayUrl, keys } = this.#stack
    const set = await api(gatewayUrl, organization.token, `/api/members/${encodeURIComponent(subject)}`, {
      method: 'PUT',
      body: { role },
    })
    expect(set.status).toBe(200)
    const token = await issueToken(keys, { subject, ttlSeconds: 600 })
    await waitFor(
      async () => (await api<Me>(gatewayUrl, token, '/api/me')).body.organizations?.some((each) => each.role === role) === true,
      { limitMs: SOON, what: `${subject} as a member` },
    )
    return subject
  }

  /** Five failed logins: one alert of the principal. */
  async attack(organization: OrganizationCreated, principal: string, ipAddress?: string): Promise<void> {
    expect((await postEvents(this.#stack.gatewayUrl, organization, failures(principal, ipAddress))).status).toBe(202)
  }
}

export const failures = (principal: string, ipAddress = '192.0.2.7') =>
  Array.from({ length: 5 }, (_, n) => ({
    id: `${principal}-${n}`.slice(0, 128),
    timestamp: new Date().toISOString(),
    principalId: principal,
    action: 'auth.login',
    status: 'failure',
    sessionContext: { ipAddress },
    targetResourceType: 'Console',
    targetResourceId: 'main',
  }))

export const rowOf = (page: Page, principal: string): Locator => page.locator('.rows li', { hasText: principal })
export const statusOf = (page: Page, principal: string, status: string): Promise<void> =>
  rowOf(page, principal).locator('.status', { hasText: status }).waitFor()
