/**
 * AWS CloudTrail records (docs.aws.amazon.com/awscloudtrail: record contents), one record an item; `{ Records: [ … ] }` is cut
 * before. The original is always kept in `raw`, so that stock rules on eventName and userIdentity.type work unchanged.
 */
import type { Category, Operation, Outcome } from '@tocsin/contracts'
import { Faults } from '../faults.ts'
import { normalizeIp } from '../ip-address.ts'
import { isObject } from '../items.ts'
import type { Json, JsonObject } from '../json-reader.ts'
import { formatTime } from '../time.ts'
import { at, countAt, type Draft, type Format, fit, type Mapped, rejected, requiredTime, textAt } from './format.ts'

const NAME_MAX = 255
/** What CloudTrail writes for a sign-in name that does not exist; as a principal it would pool strangers. */
const HIDDEN_NAME = 'HIDDEN_DUE_TO_SECURITY_REASONS'
const DATA_READS = /^(?:GetSecretValue|BatchGetSecretValue|GetParameter\w*|Decrypt)$/
const DENIED = /^(?:AccessDenied(?:Exception)?|\w+\.UnauthorizedOperation|\w*UnauthorizedOperation)$/
/** First match of the event name decides. */
const VERBS: readonly (readonly [RegExp, Operation])[] = [
  [/^(?:Create|Run|Register|Allocate|Import|Copy|Upload)/, 'create'],
  [/^(?:Delete|Remove|Terminate|Deregister|Release)/, 'delete'],
  [
    /^(?:Update|Modify|Put|Set|Change|Enable|Disable|Attach|Detach|Add|Associate|Disassociate|Start|Stop|Tag|Untag|Reset|Replace)/,
    'update',
  ],
  [/^(?:Get|BatchGet|List|Describe|Head|Lookup|Search|Select|Scan|Query|Decrypt|Download)/, 'read'],
]
const IAM_VERBS: readonly (readonly [RegExp, Operation])[] = [
  [/^(?:Attach|Add|Put\w*Policy)/, 'grant'],
  [/^(?:Detach|Remove|Delete\w*Policy)/, 'revoke'],
  ...VERBS,
]

export const cloudtrail: Format = {
  name: 'cloudtrail',
  body: 'json',
  recognizes: (item) => isObject(item) && ['eventSource', 'eventName', 'eventTime'].every((key) => Object.hasOwn(item, key)),
  begin: () => (item) => [mapCloudTrail(item)],
}

export function mapCloudTrail(item: Json): Mapped {
  if (!isObject(item)) return rejected('INVALID_TYPE', [], 'a record must be an object')
  const faults = new Faults()
  const timestamp = requiredTime(item, 'eventTime', faults)
  const eventName = textAt(item, 'eventName')
  const eventSource = textAt(item, 'eventSource')
  if (eventName === undefined) faults.add('REQUIRED_FIELD_MISSING', ['eventName'], 'is required')
  if (eventSource === undefined) faults.add('REQUIRED_FIELD_MISSING', ['eventSource'], 'is required')
  if (faults.list.length > 0 || eventName === undefined || eventSource === undefined) return { faults: faults.list }

  const service = eventSource.replace(/\.amazonaws\.com$/, '')
  const outcome = outcomeOf(item, eventName)
  const meaning = meaningOf(item, service, eventName)
  const target = targetOf(item, service)
  const optional: { [K in keyof Draft]?: Draft[K] | undefined } = {
    id: cut(textAt(item, 'eventID'), 128),
    principalId: cut(principalOf(at(item, 'userIdentity')), NAME_MAX),
    principalType: cut(textAt(item, 'userIdentity', 'type'), NAME_MAX),
    outcomeDescription: descriptionOf(item),
    targetResourceId: cut(target.id, NAME_MAX),
    bytes: countAt(item, 'additionalEventData', 'bytesTransferredOut'),
    correlationId: cut(textAt(item, 'requestID'), NAME_MAX),
    sessionContext: sessionOf(item),
  }
  return {
    draft: {
      ...(Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)) as Partial<Draft>),
      timestamp: formatTime(timestamp),
      action: fit(`${service}:${eventName}`, NAME_MAX),
      status: outcome === 'success' ? 'success' : 'failure',
      outcome,
      category: meaning.category,
      operation: meaning.operation,
      targetResourceType: fit(target.type, NAME_MAX),
      source: { product: 'aws', service: 'cloudtrail', name: fit(textAt(item, 'recipientAccountId') ?? 'cloudtrail', NAME_MAX) },
    },
  }
}

const cut = (text: string | undefined, max: number): string | undefined => (text === undefined ? undefined : fit(text, max))

/** An assumed role is its issuer and the session's name: many people act through one role. A service is what invoked. */
function principalOf(identity: Json | undefined): string | undefined {
  const arn = textAt(identity, 'arn')
  if (textAt(identity, 'type') === 'AssumedRole') {
    const role = textAt(identity, 'sessionContext', 'sessionIssuer', 'arn')
    const session = (arn?.split('/').slice(2).join('/') || textAt(identity, 'principalId')?.split(':').slice(1).join(':')) ?? ''
    if (role !== undefined && session !== '') return `${role}/${session}`
  }
  const name = arn ?? textAt(identity, 'invokedBy') ?? textAt(identity, 'userName') ?? textAt(identity, 'principalId')
  return name === HIDDEN_NAME ? undefined : name
}

function outcomeOf(item: JsonObject, eventName: string): Outcome {
  const errorCode = textAt(item, 'errorCode')
  if (errorCode !== undefined && DENIED.test(errorCode)) return 'denied'
  if (eventName === 'ConsoleLogin') {
    const login = textAt(item, 'responseElements', 'ConsoleLogin')
    if (login !== undefined) return login === 'Success' ? 'success' : 'failure'
  }
  return errorCode === undefined ? 'success' : 'failure'
}

function meaningOf(item: JsonObject, service: string, eventName: string): { category: Category; operation: Operation } {
  const readOnly = isReadOnly(item, eventName)
  if (service === 'signin' || service === 'sts') return { category: 'authentication', operation: 'login' }
  if (textAt(item, 'eventCategory') === 'Data' || DATA_READS.test(eventName))
    return { category: 'data', operation: readOnly ? 'read' : verbOf(VERBS, eventName) }
  if (readOnly) return { category: 'other', operation: 'read' }
  if (service === 'iam') return { category: 'authorization', operation: verbOf(IAM_VERBS, eventName) }
  return { category: 'configuration', operation: verbOf(VERBS, eventName) }
}

function isReadOnly(item: JsonObject, eventName: string): boolean {
  const said = at(item, 'readOnly')
  if (typeof said === 'boolean') return said
  if (typeof said === 'string') return said === 'true'
  return verbOf(VERBS, eventName) === 'read'
}

const verbOf = (verbs: typeof VERBS, eventName: string): Operation =>
  verbs.find(([pattern]) => pattern.test(eventName))?.[1] ?? 'other'

/** The first resource, else the service and the first parameter that names a thing. */
function targetOf(item: JsonObject, service: string): { type: string; id: string | undefined } {
  const resources = at(item, 'resources')
  const first = Array.isArray(resources) ? resources[0] : undefined
  const arn = textAt(first, 'ARN')
  if (arn !== undefined) return { type: textAt(first, 'type') ?? service, id: arn }
  const parameters = at(item, 'requestParameters')
  if (!isObject(parameters)) return { type: service, id: undefined }
  const bucket = textAt(parameters, 'bucketName')
  const key = textAt(parameters, 'key')
  if (bucket !== undefined) return { type: service, id: key === undefined ? bucket : `${bucket}/${key}` }
  const named = Object.keys(parameters).find(
    (name) => /(?:Name|Id|Arn|ARN)$|^name$/.test(name) && textAt(parameters, name) !== undefined,
  )
  return { type: service, id: named === undefined ? undefined : textAt(parameters, named) }
}

function descriptionOf(item: JsonObject): string | undefined {
  const parts = [textAt(item, 'errorCode'), textAt(item, 'errorMessage')].filter((part) => part !== undefined)
  return parts.length === 0 ? undefined : fit(parts.join(': '), 2000)
}

/** `sourceIPAddress` may name a service (kept in `raw` only); digits that are no address are kept as they came. */
function sessionOf(item: JsonObject): Draft['sessionContext'] | undefined {
  const sent = textAt(item, 'sourceIPAddress')
  const ipAddress =
    sent === undefined ? undefined : (normalizeIp(sent) ?? (/^[\d.]+$/.test(sent) ? fit(sent, NAME_MAX) : undefined))
  const userAgent = cut(textAt(item, 'userAgent'), 2000)
  const sessionId = cut(textAt(item, 'userIdentity', 'accessKeyId'), NAME_MAX)
  const session = {
    ...(sessionId === undefined ? {} : { sessionId }),
    ...(ipAddress === undefined ? {} : { ipAddress }),
    ...(userAgent === undefined ? {} : { userAgent }),
  }
  return Object.keys(session).length === 0 ? undefined : session
}
