import { fileURLToPath } from 'node:url'
import { parseSigma } from '@tocsin/sigma'
import { expect, it } from 'vitest'
import { readRulePack } from './rule-pack.ts'

it('the files of the built-in pack are called, under x-tocsin, as the installation calls them', async () => {
  const files = await readRulePack(fileURLToPath(new URL('../../../rules/', import.meta.url)))
  const own = files.map(({ content }) =>
    parseSigma(content).flatMap(({ extension }) => (extension as { id?: string } | undefined)?.id ?? []),
  )
  expect(own).toEqual(files.map(({ ruleId }) => [ruleId]))
})
