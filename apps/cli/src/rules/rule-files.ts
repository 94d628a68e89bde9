/** Rule files of the machine, read into one set. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { assembleRules, type CompileOptions, type NamedDocuments, nameDocuments, type RuleSet } from '@tocsin/engine'
import { messageOf, TerminalError } from '@tocsin/errors'
import { readSigma, type SigmaError, type SigmaReading } from '@tocsin/sigma'

const RULE_FILE = /\.ya?ml$/i
/** Larger files hold no rule (libs/sigma refuses them by their size); they are not read. */
const MAX_READ_BYTES = 1_048_576

/** The rules of files and folders, folders with all below them. @throws TerminalError where there is none */
export function readRules(paths: readonly string[], options: CompileOptions = {}): RuleSet & { readonly files: number } {
  const files = readFiles(paths)
  return { ...assembleRules(files, options), files: files.length }
}

/** Their documents alone, by rule id: what matches need. @throws TerminalError where there is none */
export const readDocuments = (paths: readonly string[]): NamedDocuments => nameDocuments(readFiles(paths))

function readFiles(paths: readonly string[]): SigmaReading[] {
  const files = [...new Set(paths.flatMap(ruleFiles))]
  if (files.length === 0) throw new TerminalError(`${paths.join(', ')} holds no rule file (*.yml, *.yaml).`)
  return files.map((file) => readSigma(textOf(file), { file }))
}

function ruleFiles(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path]
    return readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => !entry.isDirectory() && RULE_FILE.test(entry.name))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
  } catch (error) {
    throw new TerminalError(`${path} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

function textOf(file: string): string {
  try {
    const { size } = statSync(file)
    return size > MAX_READ_BYTES ? ' '.repeat(MAX_READ_BYTES) : readFileSync(file, 'utf8')
  } catch (error) {
    throw new TerminalError(`${file} cannot be read: ${messageOf(error)}`, { cause: error })
  }
}

/** `file:line:column: sentence`, in order of place. */
export const faultLines = (faults: readonly SigmaError[]): string[] =>
  faults
    .toSorted((a, b) => (a.file < b.file ? -1 : a.file > b.file ? 1 : a.line - b.line || a.column - b.column))
    .map((fault) => String(fault))
