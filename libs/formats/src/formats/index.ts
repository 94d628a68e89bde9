import { cloudevents } from './cloudevents.ts'
import { cloudtrail } from './cloudtrail.ts'
import type { Format } from './format.ts'
import { sshd } from './sshd.ts'
import { tocsin } from './tocsin.ts'

/** In the order in which an item is held against their signatures; ours last, because its signature asks for least. */
export const FORMATS: readonly Format[] = [cloudevents, cloudtrail, sshd, tocsin]
export const FORMAT_NAMES: readonly string[] = FORMATS.map(({ name }) => name)

export const formatOf = (name: string): Format | undefined => FORMATS.find((format) => format.name === name)
