import type { RuleRecord } from '@tocsin/contracts'
import type { SigmaCorrelation, SigmaDetection, SigmaDocument } from '@tocsin/sigma'
import { ShapeVerdicts } from '../matching/shape-verdicts.ts'
import { severityOfLevel } from './extension-reader.ts'
import { logsourceTest } from './logsource.ts'
import { PATTERN_TRAITS } from './patterns.ts'
import { refusalsOf } from './refusal.ts'
import type { CompiledRule, EventTest } from './rule.ts'
import type { RuleCondition } from './rule-condition.ts'
import type { RuleExtension } from './rule-extension.ts'

/** What a detection and a correlation have in common. */
type RuleBasics = Omit<CompiledRule, 'groupBy' | 'parts' | 'partNames' | keyof RuleCondition | 'timespanMs' | 'alerts'>

/** @param all the detections that a rule may name beside those that it counts */
export function ruleBasics(
  record: RuleRecord,
  document: SigmaDocument,
  extension: RuleExtension,
  counted: readonly SigmaDetection[],
  all: readonly SigmaDetection[],
): RuleBasics {
  const refuse = refusalsOf(document, record.ruleId)
  const selection = (name: string, path: readonly (string | number)[]): SigmaDetection =>
    named(all, name) ?? refuse(path, `The rule "${name}" is not in this file.`)
  const escalating =
    extension.escalate === null ? null : selection(extension.escalate.selection, ['x-tocsin', 'escalate', 'selection'])
  const anySteps = extension.severity.flatMap((step, index) => ('any' in step ? [{ ...step, index }] : []))
  if (anySteps.length > 1) refuse(['x-tocsin', 'severity'], 'One step with "any" is supported.')
  const [anyStep] = anySteps
  const notable = anyStep === undefined ? null : selection(anyStep.any, ['x-tocsin', 'severity', anyStep.index, 'any'])
  return {
    record,
    title: document.title,
    severity: severityOfLevel(document.level),
    type: extension.type,
    pattern: extension.pattern,
    traits: extension.pattern === null ? {} : PATTERN_TRAITS[extension.pattern],
    tags: document.tags.slice(0, 50),
    runbook: extension.runbook,
    autoResolve: extension.autoResolve,
    detections: escalating === null ? counted : [...counted, escalating],
    counts: anyTest(counted),
    countsBy: new ShapeVerdicts(counted),
    escalates: escalating === null ? null : anyTest([escalating]),
    escalatesBy: new ShapeVerdicts(escalating === null ? [] : [escalating]),
    escalateTo: extension.escalate?.level ?? null,
    notable: notable === null ? null : anyTest([notable]),
    notableTo: anyStep?.level ?? null,
    peakSteps: extension.severity.flatMap((step) =>
      'any' in step ? [] : [{ level: step.level, times: step.peakTimesThreshold }],
    ),
    also: extension.also === null ? [] : [{ unit: 'distinct', atLeast: extension.also.atLeast }],
    valueDefault: extension.default,
    calendar: extension.calendar,
    cooldownMs: extension.cooldownMs,
    latenessMs: extension.latenessMs,
    hasBaseline: extension.baseline,
    tests: extension.tests,
    identity: JSON.stringify([
      counted.map(meaning),
      escalating === null ? null : meaning(escalating),
      notable === null ? null : meaning(notable),
      document.kind === 'correlation'
        ? [document.correlation.type, document.correlation.groupBy, aliasesOf(document), document.correlation.field ?? null]
        : null,
      extension.subject,
      extension.default,
      extension.also?.field ?? null,
      extension.calendar !== null,
      extension.pattern,
    ]),
  }
}

const meaning = (detection: SigmaDetection): unknown => [detection.logsource, detection.definition]

function aliasesOf({ correlation }: SigmaCorrelation): unknown {
  return [...correlation.aliases].map(([alias, fields]) => [alias, correlation.rules.map((rule) => fields.get(rule) ?? null)])
}

export function testOf(detection: SigmaDetection): EventTest {
  const isOfSource = logsourceTest(detection.logsource)
  return (event) => isOfSource(event) && detection.matches(event.fields)
}

function anyTest(detections: readonly SigmaDetection[]): EventTest {
  const tests = detections.map(testOf)
  const [only] = tests
  return tests.length === 1 && only !== undefined ? only : (event) => tests.some((test) => test(event))
}

/** The document that a rule means by a name or an id. */
export const named = <D extends SigmaDocument>(documents: readonly D[], name: string): D | undefined =>
  documents.find((document) => document.name === name || (document.id !== '' && document.id === name))
