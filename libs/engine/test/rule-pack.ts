import { readdirSync, readFileSync } from 'node:fs'
import type { RuleRecord } from '@tocsin/contracts'
import { ruleRecord } from '../src/test-stream.ts'

const FOLDER = new URL('../../../rules/', import.meta.url)

/** The built-in pack as persistence publishes it. */
export const rulePack = (): RuleRecord[] =>
  readdirSync(FOLDER)
    .filter((name) => name.endsWith('.yml'))
    .sort()
    .map((name) => ruleRecord(`tocsin.${name.replace('.yml', '')}`, readFileSync(new URL(name, FOLDER), 'utf8')))
