import type { DurationMs, EpochMs } from '../time.ts'
import type { Episode } from './episode.ts'

/**
 * The open alerts of one group in order of time. They lie more than Q apart, so that an event concerns at most its two
 * neighbours, and a backfill of years may open thousands.
 */
export class EpisodeList {
  #episodes: Episode[] = []

  get length(): number {
    return this.#episodes.length
  }

  all(): readonly Episode[] {
    return this.#episodes
  }

  add(episode: Episode): void {
    this.#episodes.splice(this.#firstAfter(episode.firstTrue), 0, episode)
  }

  remove(gone: (episode: Episode) => boolean): void {
    this.#episodes = this.#episodes.filter((episode) => !gone(episode))
  }

  /** The alert whose condition is known to be true at `t`. */
  trueAt(t: EpochMs): Episode | null {
    const episode = this.#episodes[this.#firstAfter(t) - 1]
    return episode?.stretches.contains(t) === true ? episode : null
  }

  /** The last alert that begins at or before `t`, and the first that begins at or after it. */
  neighbours(t: EpochMs): readonly Episode[] {
    const after = this.#firstAfter(t)
    return this.#episodes.slice(Math.max(0, after - 1), after + 1)
  }

  /** The alerts to which a stretch from `from` to `to` belongs. */
  reachedBy(from: EpochMs, to: EpochMs, reach: DurationMs): Episode[] {
    const reached: Episode[] = []
    for (let at = this.#firstAfter(to + reach) - 1; at >= 0; at--) {
      const episode = this.#episodes[at] as Episode
      if (!episode.isReachedBy(from, to, reach)) break
      reached.push(episode)
    }
    return reached.reverse()
  }

  /** Place of the first alert whose first true moment is after `t`. */
  #firstAfter(t: EpochMs): number {
    let low = 0
    let high = this.#episodes.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if ((this.#episodes[middle] as Episode).firstTrue <= t) low = middle + 1
      else high = middle
    }
    return low
  }
}
