import { issueServiceToken, type KeyRing } from '@tocsin/access'
import { OPERATIONS_TABLE, type SignIn } from '@tocsin/contracts'
import { messageOf, RetryableError } from '@tocsin/errors'

const ANSWER_WITHIN_MS = 5_000

/** Tells persistence of a sign-in, for the history of the subject's organizations. Rejects with RetryableError where it was not taken. */
export function createSignInReport(options: {
  readonly persistenceUrl: string
  readonly ring: KeyRing
}): (signIn: SignIn) => Promise<void> {
  const { method, url } = OPERATIONS_TABLE.recordSignIn
  return async (signIn) => {
    const token = await issueServiceToken(options.ring, { caller: 'gateway', audience: 'persistence' })
    try {
      const answer = await fetch(new URL(url, options.persistenceUrl), {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(signIn),
        redirect: 'error',
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      })
      await answer.body?.cancel()
      if (!answer.ok) throw new Error(`answered ${answer.status}`)
    } catch (error) {
      throw new RetryableError(`persistence does not take a sign-in: ${messageOf(error)}`, { cause: error })
    }
  }
}
