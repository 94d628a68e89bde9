export * from './document.ts'
export { ALL_TEXT, type EventFields, fieldReader, type ReadableEvent } from './field-reader.ts'
export { parseSigma, type SigmaOptions } from './parse-sigma.ts'
export { type Position, SigmaError } from './sigma-error.ts'
