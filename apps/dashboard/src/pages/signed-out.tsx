/** Signing in is by a link that works once; there is no password to ask for. */
export const SignedOut = () => (
  <main className="page narrow">
    <h1>Tocsin</h1>
    <h2>You are not signed in</h2>
    <p>
      Open the one-time link that <code>npm start</code> printed in its terminal. It works once and for 10 minutes, and signs this
      browser in.
    </p>
    <p>
      Used or expired? <code>npm run -s tocsin -- sign-in</code> prints a new one.
    </p>
    <p className="quiet">Programs need no sign-in page: they send a token as described in the README.</p>
  </main>
)
