/**
 * Writes the documents of the contracts from their schemas: schemas/*.json, asyncapi.yaml, openapi.yaml.
 * `--check` writes nothing and exits 1, naming each file that differs: committed documents never drift from the code.
 */
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { stringify } from 'yaml'
import { openApi } from '../src/documents/open-api.ts'
import { jsonSchemas } from '../src/documents/schema-files.ts'
import { asyncApi } from './async-api.ts'

const root = join(import.meta.dirname, '..')
const documents = new Map([
  ...jsonSchemas(),
  ['asyncapi.yaml', asyncApi()],
  ['openapi.yaml', stringify(openApi(), { aliasDuplicateObjects: false, lineWidth: 0 })],
] as [string, string][])

const present = (await readdir(join(root, 'schemas'), { recursive: true }).catch(() => [])).map((file) => join('schemas', file))
const left = present.filter((file) => !documents.has(file))
const different: string[] = []
for (const [file, text] of documents) {
  const now = await readFile(join(root, file), 'utf8').catch(() => '')
  if (now !== text) different.push(file)
}

if (process.argv.includes('--check')) {
  const faults = [
    ...different.map((file) => `${file} is not what the schemas say`),
    ...left.map((file) => `${file} belongs to no schema`),
  ]
  if (faults.length > 0) {
    process.stderr.write(
      `contracts have drifted; run: node contracts/scripts/generate.ts\n${faults.map((fault) => `  ${fault}`).join('\n')}\n`,
    )
    process.exitCode = 1
  }
} else {
  for (const file of left) await rm(join(root, file))
  for (const file of different) {
    await mkdir(dirname(join(root, file)), { recursive: true })
    await writeFile(join(root, file), documents.get(file) ?? '')
    process.stdout.write(`wrote ${relative(process.cwd(), join(root, file))}\n`)
  }
}
