/** What a newcomer sees instead of an empty list. */
export function FirstSteps() {
  return (
    <section className="first-steps">
      <h2>All quiet: no alert yet</h2>
      <p>
        Alerts appear here by themselves, the moment they are raised. Five failed logins of one person make one; send them from
        the checkout's folder:
      </p>
      <pre>{`KEY=$(node -p "require('./.local/connection.json').ingestKey")
for i in 1 2 3 4 5; do
  curl -sS ${location.origin}/v1/events -H "authorization: Bearer $KEY" \\
    -H 'content-type: application/json' -d "{\\"id\\":\\"first-$(date +%s)-$i\\",
      \\"timestamp\\":\\"$(date -u +%FT%TZ)\\",\\"principalId\\":\\"mallory\\",
      \\"action\\":\\"auth.login\\",\\"status\\":\\"failure\\"}"; echo
done`}</pre>
      <p>
        Or a whole attack: <code>npm run demo</code>
      </p>
    </section>
  )
}
