import type { FigureRecordType } from '@tocsin/contracts'
import type { Group } from '../group.ts'
import type { AlertChange } from '../records.ts'
import type { EpochMs } from '../time.ts'
import { settlePeaks } from '../truth/peaks.ts'
import { renderFigures } from './alert-figures.ts'
import type { Episode } from './episode.ts'
import { releaseAll } from './evidence.ts'
import { revisionReason } from './revision.ts'

/** Gathers what one record does to alerts, and numbers the revisions. */
export class Publisher {
  readonly #topic: string
  readonly #partition: number
  #changes: AlertChange[] = []
  /** Alerts published as created and not yet as closed. */
  openAlerts = 0

  constructor({ topic, partition }: { readonly topic: string; readonly partition: number }) {
    this.#topic = topic
    this.#partition = partition
  }

  /** Publishes the alerts that have ended, while the group is still what they were made of. */
  ended(group: Group, logTime: EpochMs): void {
    if (group.ended.length === 0) return
    for (const { episode, survivor } of group.ended) {
      this.#add('alert.closed', group, episode, survivor, logTime)
      releaseAll(group.evidence, episode.evidence)
    }
    group.ended = []
  }

  /** Publishes those of the group's open alerts that are new or due. */
  due(group: Group, episodes: readonly Episode[], logTime: EpochMs): void {
    for (const episode of episodes) {
      if (episode.revision === 0) this.#add('alert.created', group, episode, null, logTime)
      else if (isDue(group, episode, logTime)) this.#add('alert.revised', group, episode, null, logTime)
    }
  }

  /** Everything since the last call, ordered by rule id, then alert id. */
  take(): AlertChange[] {
    const changes = this.#changes
    if (changes.length === 0) return []
    this.#changes = []
    return changes.length < 2 ? changes : changes.sort(byRuleThenAlert)
  }

  #add(type: FigureRecordType, group: Group, episode: Episode, mergedInto: string | null, logTime: EpochMs): void {
    settlePeaks(group)
    if (type === 'alert.created') this.openAlerts++
    // One that a record opens and ends at once, by a pause, was never among them.
    if (type === 'alert.closed' && episode.revision > 0) this.openAlerts--
    episode.revision++
    episode.changed = false
    episode.publishedSize = sizeOf(group, episode)
    episode.publishedSeverity = episode.severity
    episode.lastRevisionAt = logTime
    const alert = renderFigures(group, episode, {
      organizationId: group.owner.organization.id,
      logTime,
      topic: this.#topic,
      partition: this.#partition,
      open: type !== 'alert.closed',
      mergedInto,
    })
    this.#changes.push({ type, alert })
  }
}

function isDue(group: Group, episode: Episode, logTime: EpochMs): boolean {
  const { changed, publishedSize, lastRevisionAt, countedAt } = episode
  if (!changed) return false
  const severityRose = episode.severity !== episode.publishedSeverity
  const size = sizeOf(group, episode)
  return revisionReason({ changed, size, publishedSize, severityRose, lastRevisionAt, countedAt }, logTime) !== null
}

/** What has to grow by half for a revision: the total of a sum, else the count. */
const sizeOf = (group: Group, episode: Episode): number => (group.program.rule.unit === 'sum' ? episode.total : episode.count)

const byRuleThenAlert = ({ alert: one }: AlertChange, { alert: other }: AlertChange): number =>
  compareTexts(one.rule.id, other.rule.id) || compareTexts(one.id, other.id)

const compareTexts = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)
