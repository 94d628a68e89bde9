/** Results go to standard output, everything else to standard error; in tests both are collected. */
export interface Output {
  result(text: string): void
  note(text: string): void
}

export const processOutput: Output = {
  result: (text) => void process.stdout.write(`${text}\n`),
  note: (text) => void process.stderr.write(`${text}\n`),
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what it looks for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g

/** Text of others for a terminal: no control character may move the cursor, set colours or turn the direction of writing. */
export const plain = (text: string): string => text.replace(CONTROL, '�')

/** As `plain`, line by line. */
export const plainLines = (text: string): string => text.split('\n').map(plain).join('\n')
