/**
 * The built-in pack and Sigma rules up to 500, of which two per cent of all can match an event of the bench. Most are shaped as the stock rules for
 * cloud platforms are: exact values, some with a further condition; a twentieth has nothing exact to be looked up by.
 */
import type { RuleRecord } from '@tocsin/contracts'
import { builtInRules, ruleRecord } from './log.ts'

export const MOST_RULES = 500
const SHARE_THAT_CAN_MATCH = 0.02

export function manyRules(): RuleRecord[] {
  const pack = builtInRules()
  const matching = Math.round(MOST_RULES * SHARE_THAT_CAN_MATCH)
  return Array.from({ length: MOST_RULES - pack.length }, (_, index) =>
    ruleRecord(`bench.rule-${index}`, index < matching ? matchingRule(index) : idleRule(index)),
  ).concat(pack)
}

/** Half are alerts by themselves on one resource in ten thousand, half count what some per cent of all events are. */
function matchingRule(index: number): string {
  const detection = DETECTIONS_THAT_MATCH[index % DETECTIONS_THAT_MATCH.length] as string
  if (index % 2 === 0) return document(index, 'low', `${detection}\n    targetResourceId: p-${index * 3}`)
  return `${document(index, 'informational', detection)}
---
title: Many of bench rule ${index}
level: medium
correlation:
  type: event_count
  rules: [bench_${index}]
  group-by: [principalId]
  timespan: 5m
  condition: {gte: 200}
`
}

const DETECTIONS_THAT_MATCH = [
  '    action: data.read',
  '    action: data.export\n    recordCount|gt: 70',
  '    action|startswith: fhir.',
  '    action: auth.login\n    sessionContext.ipAddress|cidr: 10.7.0.0/16',
  '    category: data\n    operation: update\n    dataClassification: PHI',
]

function idleRule(index: number): string {
  if (index % 20 === 0) return document(index, 'high', `    targetResourceId|contains: secret-${index}`)
  if (index % 20 === 10) return document(index, 'high', `    action: data.read\n    principalId|startswith: breakglass-${index}`)
  if (index % 5 === 1)
    return document(index, 'medium', `    action: [vendor${index}.create, vendor${index}.delete]\n    status: success`)
  const aws = `    eventSource: service${index}.amazonaws.com\n    eventName: [Create${index}, Put${index}, Delete${index}]`
  return document(index, 'medium', index % 5 === 2 ? `${aws}\n    userAgent|contains: [curl, python]` : aws)
}

const document = (index: number, level: string, selection: string): string => `title: Bench rule ${index}
name: bench_${index}
level: ${level}
logsource:
  product: tocsin
detection:
  selection:
${selection}
  condition: selection
`
