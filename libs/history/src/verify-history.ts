/**
 * Whether an export is the history that was sealed. Needs nothing but the export, and for what an export alone cannot show
 * (a cut tail, a past written anew from some place on) a head that left the database earlier.
 */
import { HistoryExportEnd, HistoryExportEntry, HistoryExportStart, type HistoryHead, type HistoryKeys } from '@tocsin/contracts'
import { Compile } from 'typebox/compile'
import { type ChainedEntry, commitmentOf, GENESIS, hashOf } from './chain.ts'
import { checkSignature, type SignedPlace } from './signed-place.ts'

/** An entry is sealed within seconds; one that waits longer (milliseconds) was not written by Tocsin, or its sealer is down. */
const SEALED_WITHIN_MS = 3_600_000

export const HISTORY_FAULTS = {
  damaged: 'the line is not one of an export',
  incomplete: 'the export was cut on its way: its last line is missing or counts otherwise',
  missing: 'the entry is missing',
  reordered: 'the entry does not stand at its place',
  changed: 'the entry is not what was sealed',
  unlinked: 'the entry does not follow from the one before: one of the two was replaced',
  payloadChanged: 'the payload is not the one that the entry was committed to',
  neverSealed: 'the entry has waited for its seal for more than an hour',
  cutTail: 'the history ends before this head: its tail is missing',
  rewritten: 'the entry is not the one of the head: the past was written anew',
  forged: 'the signature is not one of the keys given',
} as const satisfies Record<string, string>
export type HistoryFault = keyof typeof HISTORY_FAULTS

export interface HistoryReport {
  readonly organizationId: string | null
  /** Sealed entries looked at, and how many of them have an erased payload. */
  readonly entries: number
  readonly erased: number
  /** Entries that wait for their seal: not proven yet. */
  readonly unsealed: number
  /** Sequence at which retention cut; null: the history is whole from its first entry. */
  readonly checkpoint: number | null
  readonly last: { readonly sequence: number; readonly hash: string } | null
  /** Heads of this organization that were compared; those before the checkpoint cannot be. */
  readonly heads: number
  readonly headsBeforeCheckpoint: number
  /** The first one found; `sequence` null where the line has none. */
  readonly fault: { readonly reason: HistoryFault; readonly sequence: number | null; readonly line: number | null } | null
}

export interface VerifyOptions {
  /** Of any organization; those of others are left out. */
  readonly heads: readonly HistoryHead[]
  /** null: signatures are not looked at. */
  readonly keys: HistoryKeys | null
}

const isStart = Compile(HistoryExportStart)
const isEntry = Compile(HistoryExportEntry)
const isEnd = Compile(HistoryExportEnd)

/** `lines`: of an export, in order. Stops at the first fault. */
export async function verifyHistory(lines: AsyncIterable<string>, options: VerifyOptions): Promise<HistoryReport> {
  const check = new ChainCheck(options)
  for await (const line of lines) if (!check.read(line)) return check.report()
  check.finish()
  return check.report()
}

type Fault = { readonly reason: HistoryFault; readonly sequence: number | null }
const fault = (reason: HistoryFault, sequence: number | null = null): Fault => ({ reason, sequence })

class ChainCheck {
  readonly #options: VerifyOptions
  #start: HistoryExportStart | null = null
  #heads: readonly HistoryHead[] = []
  #ended = false
  #line = 0
  #next = 1
  #previous = GENESIS
  #entries = 0
  #erased = 0
  #unsealed = 0
  #headsBefore = 0
  #fault: HistoryReport['fault'] = null

  constructor(options: VerifyOptions) {
    this.#options = options
  }

  /** False: there is a fault, and nothing more to read. */
  read(text: string): boolean {
    this.#line += 1
    const found = this.#readLine(parse(text))
    if (found !== null) this.#fault = { ...found, line: this.#line }
    return found === null
  }

  finish(): void {
    const beyond = this.#heads.find((head) => head.sequence >= this.#next)
    if (!this.#ended) this.#fault = { ...fault('incomplete'), line: null }
    else if (beyond !== undefined) this.#fault = { ...fault('cutTail', beyond.sequence), line: null }
  }

  report(): HistoryReport {
    return {
      organizationId: this.#start?.organizationId ?? null,
      entries: this.#entries,
      erased: this.#erased,
      unsealed: this.#unsealed,
      checkpoint: this.#start?.checkpoint?.sequence ?? null,
      last: this.#next === 1 ? null : { sequence: this.#next - 1, hash: this.#previous },
      heads: this.#heads.length - this.#headsBefore,
      headsBeforeCheckpoint: this.#headsBefore,
      fault: this.#fault,
    }
  }

  #readLine(value: unknown): Fault | null {
    if (this.#start === null) return isStart.Check(value) ? this.#begin(value) : fault('damaged')
    if (this.#ended) return fault('damaged')
    if (isEnd.Check(value)) {
      this.#ended = true
      return value.entries === this.#entries + this.#unsealed ? null : fault('incomplete')
    }
    if (!isEntry.Check(value)) return fault('damaged')
    return value.sequence === null ? this.#readUnsealed(value, this.#start) : this.#readSealed(value, value.sequence, this.#start)
  }

  #begin(start: HistoryExportStart): Fault | null {
    this.#start = start
    const { checkpoint, organizationId } = start
    this.#heads = this.#options.heads.filter((head) => head.organizationId === organizationId)
    const forged = this.#heads.find((head) => this.#isForged(head))
    if (forged !== undefined) return fault('forged', forged.sequence)
    if (checkpoint === null) return null
    if (checkpoint.organizationId !== organizationId || this.#isForged(checkpoint)) return fault('forged', checkpoint.sequence)
    this.#headsBefore = this.#heads.filter((head) => head.sequence < checkpoint.sequence).length
    this.#next = checkpoint.sequence + 1
    this.#previous = checkpoint.hash
    return this.#differsFromHead(checkpoint.sequence, checkpoint.hash)
  }

  #readSealed({ entry, previous, hash, payload }: HistoryExportEntry, sequence: number, start: HistoryExportStart): Fault | null {
    if (sequence > this.#next) return fault('missing', this.#next)
    if (sequence < this.#next || this.#unsealed > 0) return fault('reordered', sequence)
    if (entry === null) return fault('missing', sequence)
    if (previous !== this.#previous) return fault('unlinked', sequence)
    const { organizationId } = start
    if (hash === null || hash !== hashOf({ organizationId, sequence, previous }, entry)) return fault('changed', sequence)
    if (isOtherPayload(payload, entry)) return fault('payloadChanged', sequence)
    if (payload === null) this.#erased += 1
    this.#entries += 1
    this.#next += 1
    this.#previous = hash
    return this.#differsFromHead(sequence, hash)
  }

  #readUnsealed({ entry, payload }: HistoryExportEntry, { exportedAt }: HistoryExportStart): Fault | null {
    if (entry === null) return fault('damaged')
    if (isOtherPayload(payload, entry)) return fault('payloadChanged')
    this.#unsealed += 1
    return Date.parse(exportedAt) - Date.parse(entry.at) > SEALED_WITHIN_MS ? fault('neverSealed') : null
  }

  #differsFromHead(sequence: number, hash: string): Fault | null {
    const differs = this.#heads.some((head) => head.sequence === sequence && head.hash !== hash)
    return differs ? fault('rewritten', sequence) : null
  }

  #isForged(place: SignedPlace): boolean {
    return this.#options.keys !== null && checkSignature(place, this.#options.keys) !== 'valid'
  }
}

const isOtherPayload = (payload: string | null, entry: ChainedEntry): boolean =>
  payload !== null && commitmentOf(payload) !== entry.commitment

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
