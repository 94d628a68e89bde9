import { readFile } from 'node:fs/promises'
import {
  activeAt,
  completeKeyRing,
  KEY_RINGS,
  type KeyRing,
  type KeyRingName,
  loadKeyRing,
  retireKey,
  rotateKey,
  writeKeyRing,
} from '@tocsin/access'
import { TerminalError } from '@tocsin/errors'
import type { Output } from '../output.ts'

export interface KeysFile {
  /** KEYS_FILE of the services. */
  readonly path: string
  readonly output: Output
  /** Milliseconds since 1970. */
  readonly now: number
}

/** What is still to be done once the new key is active. */
const NEXT_STEPS: Readonly<Record<KeyRingName, string>> = {
  tokens: 'Tokens that the old key signed stay valid to their end.',
  cursors: 'Cursors of the old key stay valid for 31 days.',
  cookies: 'Browsers stay signed in: cookies of the old key are good for 31 days.',
  services: 'Calls between services go on; the old key is good for one day.',
  fields:
    "Persistence now wraps every organization's data key anew. When its metric tocsin_data_keys_to_rewrap is 0, take the old key away with --retire.",
  history: 'Give the new public key to your auditors. Keep the old one in the file: heads that it signed are verified with it.',
}

/** `tocsin keys ls`: never shows a key. Returns the exit code. */
export async function listKeys({ path, output, now }: KeysFile): Promise<number> {
  const ring = await loadKeyRing(path)
  const lines = KEY_RINGS.flatMap((name) =>
    Object.entries(ring[name].keys).map(([id, { validUntil }]) => {
      const next = ring[name].next
      const state =
        id === activeAt(ring[name], now)
          ? 'active'
          : id === next?.id
            ? `active from ${next.at}`
            : `opens until ${validUntil ?? 'it is retired'}`
      return `${name.padEnd(10)}${id.padEnd(6)}${state}`
    }),
  )
  output.result(lines.join('\n'))
  return 0
}

/** `tocsin keys rotate NAME`: writes the file and says what to do next. Returns the exit code. */
export async function rotateKeys(
  options: KeysFile & { readonly name: KeyRingName; readonly activateAfterMs: number },
): Promise<number> {
  const { path, output, name } = options
  const found = await withoutRing(path, name)
  if (found !== null) {
    await writeKeyRing(path, await completeKeyRing(found))
    output.result(`Ring ${name} has its first key.`)
    return 0
  }
  const { file, id } = await rotateKey(await loadKeyRing(path), name, options)
  await writeKeyRing(path, file)
  output.result(
    `Ring ${name} has the new key ${id}, active from ${file[name].next?.at}.\n` +
      `Services read ${path} within 2 s. Where it is a mounted secret, bring the new file there before that time.\n${NEXT_STEPS[name]}`,
  )
  return 0
}

/** `tocsin keys rotate NAME --retire ID`. Returns the exit code. */
export async function retireKeys({
  path,
  output,
  now,
  name,
  id,
}: KeysFile & { readonly name: KeyRingName; readonly id: string }): Promise<number> {
  const outcome = retireKey(await loadKeyRing(path), name, id, now)
  if ('refused' in outcome)
    throw new TerminalError(
      outcome.refused === 'unknown'
        ? `Ring ${name} has no key ${id}: tocsin keys ls shows them.`
        : `${id} is the active key of ring ${name}: rotate first, and retire it once the new one is active.`,
    )
  await writeKeyRing(path, outcome.file)
  output.result(`Key ${id} of ring ${name} is gone: what it made opens no longer.`)
  return 0
}

/** The content of a file of an earlier release that lacks the ring `name`; null where it is there. */
async function withoutRing(path: string, name: KeyRingName): Promise<Partial<KeyRing> | null> {
  const text = await readFile(path, 'utf8').catch(() => '')
  try {
    const found: unknown = JSON.parse(text)
    return typeof found === 'object' && found !== null && !(name in found) ? (found as Partial<KeyRing>) : null
  } catch {
    // loadKeyRing says what is wrong with it.
    return null
  }
}
