import { type EventSink, eventIdOf, jsonObject, Matcher, RAW_FORMAT } from '@tocsin/backtest'
import type { SigmaDocument } from '@tocsin/sigma'
import { type FileOptions, readerOf, readThrough } from './events-file.ts'
import { noteCounts, Progress } from './progress.ts'

/** Every match of a detection, one a line. */
export function backtestMatches(documents: ReadonlyMap<string, SigmaDocument>, file: string, options: FileOptions): void {
  const matcher = new Matcher(documents)
  const matched = new Map<string, number>()
  const progress = new Progress(options.output)
  const tell = (ruleIds: readonly string[], eventId: string | null, line: number) => {
    for (const ruleId of ruleIds) {
      matched.set(ruleId, (matched.get(ruleId) ?? 0) + 1)
      progress.result(JSON.stringify({ ruleId, eventId, line }))
    }
  }
  if (options.format === RAW_FORMAT) {
    const take = (text: string, line: number) => {
      const item = jsonObject(text)
      if (item === undefined) {
        progress.bad({ line, reason: 'it is no JSON object' })
        return
      }
      progress.events++
      const ruleIds = matcher.raw(item)
      if (ruleIds.length > 0) tell(ruleIds, eventIdOf(item), line)
    }
    readThrough(file, progress, { take, end: () => {} })
  } else {
    const event: EventSink['event'] = ({ event: view, line }) => {
      progress.events++
      tell(matcher.event(view), view.id, line)
    }
    readThrough(file, progress, readerOf(options, { event, bad: (line) => progress.bad(line) }))
  }
  progress.end()
  options.output.note(`${sum(matched)} matches of ${matcher.size} detections`)
  noteCounts(options.output, matched)
}

const sum = (counts: ReadonlyMap<string, number>): number => [...counts.values()].reduce((total, each) => total + each, 0)
