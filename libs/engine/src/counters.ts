/** Running totals of one partition since its first record; part of the snapshot. */
export interface Counters {
  /** Event records, whether or not a rule matched. */
  events: number
  /** Events of an organization that took part in a group (once per rule). */
  counted: number
  /** Events that an exception kept out of a rule (once per rule and exception). */
  excepted: number
  /** Events older than log time minus lateness, once per rule. */
  late: number
  /** Events stamped more than 5 min ahead, once per event. */
  clockSkew: number
  /** Events that matched a rule by subject and have none, once per event. */
  unattributed: number
  /** Events without a field that a rule groups by, once per rule. */
  groupMissing: number
  /** Copies of an event that a group holds. */
  duplicate: number
  /** Other content under an id that a group holds. */
  idConflict: number
  /** Events dropped from or refused by a full group. */
  overCap: number
  /** Events that a full organization let go before their time. */
  latenessShortened: number
  /** Groups that a full organization let go. */
  groupEvicted: number
  /** Values of a summed field that are not numbers >= 0. */
  notNumeric: number
  /** Events that came into a window of theirs that had been decided, once per rule. */
  tooLate: number
  /** How often append time lay more than 1 h below log time. */
  logTimeSetBack: number
  /** Control records that were not above the version in force. */
  controlIgnored: number
}

export const newCounters = (): Counters => ({
  events: 0,
  counted: 0,
  excepted: 0,
  late: 0,
  clockSkew: 0,
  unattributed: 0,
  groupMissing: 0,
  duplicate: 0,
  idConflict: 0,
  overCap: 0,
  latenessShortened: 0,
  groupEvicted: 0,
  notNumeric: 0,
  tooLate: 0,
  logTimeSetBack: 0,
  controlIgnored: 0,
})

/** What the engine holds at present. */
export interface Gauges {
  readonly organizations: number
  readonly groups: number
  readonly heldEvents: number
  /** Snapshots of events, for alerts. */
  readonly heldEvidence: number
  readonly openAlerts: number
  /** Exceptions in force: in the settings and not expired. */
  readonly exceptions: number
}
