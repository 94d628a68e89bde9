import { AuditEvent } from '@tocsin/contracts'
import { Compile } from 'typebox/compile'

const contract = Compile(AuditEvent)

/** Whether a value is a whole event as `audit.events` holds it: then there is nothing to map. */
export const isCanonical = (value: unknown): value is AuditEvent =>
  contract.Check(value) && !Number.isNaN(Date.parse(value.timestamp)) && !Number.isNaN(Date.parse(value.receivedAt))
