/**
 * What an action means to the patterns, where its producer does not say (events.md §1): the one table of words.
 * Pure; ingest fills in with it, and whoever backtests a file of events does the same.
 */
import type { Category, Classification, EventStatus, Operation, Outcome } from './vocabulary.ts'

type WordCategory = Exclude<Category, 'other'>

/** In the order in which they are tried. */
const CATEGORY_WORDS: readonly (readonly [WordCategory, ReadonlySet<string>])[] = [
  ['authentication', new Set(['auth', 'authn', 'login', 'logon', 'signin', 'sso', 'mfa', 'logout'])],
  ['authorization', new Set(['grant', 'revoke', 'permission', 'permissions', 'role', 'account', 'policy'])],
  ['data', new Set(['data', 'fhir', 'record', 'document', 'file', 'patient'])],
  ['configuration', new Set(['config', 'configuration', 'setting', 'rule'])],
  ['system', new Set(['system'])],
]
const AUTHORIZATION_WORDS = wordsOf('authorization')

const OPERATION_WORDS: ReadonlyMap<string, Operation> = new Map<string, Operation>([
  ['create', 'create'],
  ['read', 'read'],
  ['get', 'read'],
  ['list', 'read'],
  ['view', 'read'],
  ['query', 'read'],
  ['download', 'read'],
  ['update', 'update'],
  ['delete', 'delete'],
  ['export', 'export'],
  ['import', 'import'],
  ['bulk', 'bulk'],
  ['login', 'login'],
  ['logon', 'login'],
  ['signin', 'login'],
  ['logout', 'logout'],
  ['grant', 'grant'],
  ['revoke', 'revoke'],
])

/** An action that is bulk although none of its words says so. */
const BULK_ACTIONS: ReadonlySet<string> = new Set(['fhir.bundle.process'])

/** With status failure, a description that holds one of these means that somebody was refused. */
const DENIAL_PHRASES = ['unauthorized', 'access denied', 'forbidden', 'permission denied'] as const

const OUTCOME_OF_STATUS: Readonly<Record<EventStatus, Outcome>> = { success: 'success', failure: 'failure', attempt: 'unknown' }

/** FHIR types that hold a patient's record: the members of the Patient compartment (hl7.org/fhir/compartmentdefinition-patient.html) in use. */
const PATIENT_RECORD_TYPES: ReadonlySet<string> = new Set(
  [
    'Patient Person RelatedPerson Observation Condition Procedure Encounter EpisodeOfCare AllergyIntolerance Immunization',
    'ImmunizationRecommendation MedicationRequest MedicationStatement MedicationAdministration MedicationDispense DiagnosticReport',
    'DocumentReference DocumentManifest Composition CarePlan CareTeam ClinicalImpression Communication CommunicationRequest Consent',
    'Coverage Claim ClaimResponse ExplanationOfBenefit DetectedIssue DeviceRequest DeviceUseStatement FamilyMemberHistory Flag Goal',
    'ImagingStudy Media MolecularSequence NutritionOrder QuestionnaireResponse ReferralRequest RiskAssessment ServiceRequest Specimen',
    'VisionPrescription AdverseEvent Appointment BodyStructure',
  ]
    .join(' ')
    .toLowerCase()
    .split(' '),
)

export interface ActionFacts {
  readonly action: string
  readonly targetResourceType?: string | undefined
}

/** The words of an action: lower-cased, split at `. : / - _`. */
const segmentsOf = (action: string): string[] => action.toLowerCase().split(/[.:/\-_]/)

/** The first category with a word in the action; an authentication word before one of authorization's does not count (`auth.role.grant`). */
export function categoryOf({ action, targetResourceType }: ActionFacts): Category {
  const segments = segmentsOf(action)
  for (const [category, words] of CATEGORY_WORDS) {
    const hit = segments.some(
      (word, index) => words.has(word) && !(category === 'authentication' && AUTHORIZATION_WORDS.has(segments[index + 1] ?? '')),
    )
    if (hit || (category === 'data' && targetResourceType !== undefined)) return category
  }
  return 'other'
}

/** The last word of the action that names an operation; `bulk` anywhere wins. */
export function operationOf({ action }: Pick<ActionFacts, 'action'>): Operation {
  const segments = segmentsOf(action)
  if (segments.includes('bulk') || BULK_ACTIONS.has(action.toLowerCase())) return 'bulk'
  for (const word of segments.toReversed()) {
    const operation = OPERATION_WORDS.get(word)
    if (operation !== undefined) return operation
  }
  return 'other'
}

export function outcomeOf(facts: { readonly status: EventStatus; readonly outcomeDescription?: string | undefined }): Outcome {
  if (facts.status === 'failure' && saysDenied(facts.outcomeDescription)) return 'denied'
  return OUTCOME_OF_STATUS[facts.status]
}

/** PHI for the FHIR patient-record types (by targetResourceType, or `fhir.TYPE.…`), else INTERNAL. */
export function classificationOf({ action, targetResourceType }: ActionFacts): Classification {
  const [first, second] = segmentsOf(action)
  const type = targetResourceType?.toLowerCase() ?? (first === 'fhir' ? second : undefined)
  return type !== undefined && PATIENT_RECORD_TYPES.has(type) ? 'PHI' : 'INTERNAL'
}

function saysDenied(description: string | undefined): boolean {
  if (description === undefined) return false
  const text = description.toLowerCase()
  return DENIAL_PHRASES.some((phrase) => text.includes(phrase))
}

function wordsOf(category: WordCategory): ReadonlySet<string> {
  return CATEGORY_WORDS.find(([name]) => name === category)?.[1] ?? new Set()
}
