/** What a message of sshd says, as a table of phrases (OpenSSH auth.c, auth2.c, monitor.c). Pure. */
import type { Category, EventStatus, Operation, Outcome } from '@tocsin/contracts'

export interface SshdMeaning {
  readonly action: string
  readonly status: EventStatus
  readonly outcome: Outcome
  readonly category: Category
  readonly operation: Operation
  readonly user?: string | undefined
  readonly invalidUser?: boolean
  readonly method?: string | undefined
  readonly address?: string | undefined
  readonly port?: string | undefined
}

type Kind = Omit<SshdMeaning, 'user' | 'invalidUser' | 'method' | 'address' | 'port'>

const login = (status: EventStatus, outcome: Outcome): Kind => ({
  action: 'ssh.login',
  status,
  outcome,
  category: 'authentication',
  operation: 'login',
})
const LOGOUT: Kind = {
  action: 'ssh.logout',
  status: 'success',
  outcome: 'success',
  category: 'authentication',
  operation: 'logout',
}
const other = (action: string): Kind => ({ action, status: 'attempt', outcome: 'unknown', category: 'other', operation: 'other' })

/**
 * First match wins. Names in the patterns: user, method, address, port. `.*` before ` from ` is greedy, so that a user name that
 * holds " from " cannot move the address.
 */
const MESSAGES: readonly { readonly pattern: RegExp; readonly kind: Kind }[] = [
  {
    pattern: /^Accepted (?<method>\S+) for (?<user>.*) from (?<address>\S+) port (?<port>\d+)(?: ssh\d?)?(?:: .*)?$/s,
    kind: login('success', 'success'),
  },
  {
    pattern:
      /^Failed none for (?<invalid>invalid user )?(?<user>.*) from (?<address>\S+) port (?<port>\d+)(?: ssh\d?)?(?:: .*)?$/s,
    kind: other('ssh.methods'),
  },
  {
    pattern:
      /^Failed (?<method>\S+) for (?<invalid>invalid user )?(?<user>.*) from (?<address>\S+) port (?<port>\d+)(?: ssh\d?)?(?:: .*)?$/s,
    kind: login('failure', 'failure'),
  },
  {
    pattern: /^User (?<user>.*) from (?<address>\S+) not allowed because .*$/s,
    kind: login('failure', 'denied'),
  },
  {
    pattern: /^ROOT LOGIN REFUSED FROM (?<address>\S+)(?: port (?<port>\d+))?.*$/,
    kind: login('failure', 'denied'),
  },
  {
    pattern: /^Invalid user (?<user>.*) from (?<address>\S+)(?: port (?<port>\d+))?$/s,
    kind: other('ssh.invalid_user'),
  },
  {
    pattern: /^pam_unix\(sshd:session\): session closed for user (?<user>\S+)$/,
    kind: LOGOUT,
  },
  {
    pattern: /^Disconnected from user (?<user>.*) (?<address>\S+) port (?<port>\d+)$/s,
    kind: LOGOUT,
  },
]

/** Where an address stands in lines of no further meaning: kept, because it helps whoever reads the evidence. */
const ADDRESS = /(?: from | by |rhost=|\[)(?<address>[0-9A-Fa-f:.]*[0-9A-Fa-f])(?:[\s:\]]|$)/

const SSHD = /^sshd(?:-session|-auth)?$/

export function meaningOf(program: string, message: string): SshdMeaning {
  // What other programs write is not sshd's word, even where it reads alike.
  if (!SSHD.test(program)) return other('syslog.message')
  for (const { pattern, kind } of MESSAGES) {
    const found = pattern.exec(message)?.groups
    if (found === undefined) continue
    const { user, method, address, port, invalid } = found
    return {
      ...kind,
      user: kind.action === 'ssh.login' && message.startsWith('ROOT LOGIN') ? 'root' : user,
      method,
      address,
      port,
      invalidUser: invalid !== undefined || kind.action === 'ssh.invalid_user',
    }
  }
  return { ...other('ssh.message'), address: ADDRESS.exec(message)?.groups?.['address'] }
}
