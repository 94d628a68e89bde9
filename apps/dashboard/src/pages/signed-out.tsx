import { useQuery } from '@tanstack/react-query'
import { signInMethodsQuery } from '../api/queries.ts'

/** Signing in is by the company's own provider, where one is configured, or by a link that works once; there is no password to ask for. */
export const SignedOut = () => {
  const { data: methods } = useQuery(signInMethodsQuery)
  return (
    <main className="page narrow">
      <h1>Tocsin</h1>
      <h2>You are not signed in</h2>
      {methods?.oidc === true && (
        <p>
          <a href="/auth/oidc">Sign in with your company account</a>
        </p>
      )}
      <p>
        Open the one-time link that <code>npm start</code> printed in its terminal. It works once and for 10 minutes, and signs
        this browser in.
      </p>
      <p>
        Used or expired? <code>npm run -s tocsin -- sign-in</code> prints a new one.
      </p>
      <p className="quiet">Programs need no sign-in page: they send a token as described in the README.</p>
    </main>
  )
}
