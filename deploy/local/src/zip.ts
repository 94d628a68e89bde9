/** Reads one file out of a zip archive (a jar), so that neither `unzip` nor `jar` has to be installed. */
import { readFileSync } from 'node:fs'
import { inflateRawSync } from 'node:zlib'

const END_OF_DIRECTORY = 0x06054b50
const DIRECTORY_ENTRY = 0x02014b50

/** The content of the first entry whose path `wanted` accepts. Neither zip64 nor encrypted archives are known. */
export function readZipEntry(file: string, wanted: (path: string) => boolean): Buffer | undefined {
  const zip = readFileSync(file)
  let end = zip.length - 22
  while (end >= 0 && zip.readUInt32LE(end) !== END_OF_DIRECTORY) end -= 1
  if (end < 0) throw new Error(`${file} is not a zip archive`)
  const entries = zip.readUInt16LE(end + 10)
  let at = zip.readUInt32LE(end + 16)
  for (let index = 0; index < entries; index += 1) {
    if (zip.readUInt32LE(at) !== DIRECTORY_ENTRY) throw new Error(`${file} has a damaged directory`)
    const nameLength = zip.readUInt16LE(at + 28)
    if (wanted(zip.toString('utf8', at + 46, at + 46 + nameLength))) return contentOf(zip, at)
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32)
  }
  return undefined
}

function contentOf(zip: Buffer, entry: number): Buffer {
  const method = zip.readUInt16LE(entry + 10)
  const size = zip.readUInt32LE(entry + 20)
  const local = zip.readUInt32LE(entry + 42)
  // The local header repeats name and extra field with lengths of its own.
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
  const content = zip.subarray(start, start + size)
  return method === 0 ? content : inflateRawSync(content)
}
