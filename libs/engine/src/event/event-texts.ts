import { type Hash64, hashText, mixText } from '../held/hash.ts'
import { type EventView, MOST_COPIED, type TextField } from './event-view.ts'

/** The part of a view that follows from its texts, for views whose texts are there anyhow. */
export abstract class EventTexts implements Pick<EventView, 'hashId' | 'mixText' | 'copyText'> {
  abstract readonly id: string
  abstract text(field: TextField): string | undefined

  hashId(into: Hash64): void {
    hashText(this.id, into)
  }

  mixText(field: TextField, seed: number): number {
    return mixText(this.text(field) ?? '', seed)
  }

  copyText(field: TextField | 'id', into: Uint8Array, at: number): number {
    const text = (field === 'id' ? this.id : this.text(field)) ?? ''
    if (text.length > MOST_COPIED) return -1
    for (let index = 0; index < text.length; index++) {
      const unit = text.charCodeAt(index)
      if (unit < 0x20 || unit >= 0x80 || unit === 0x22 || unit === 0x5c) return -1
      into[at + index] = unit
    }
    return at + text.length
  }
}
