import type { BulkAct, Permission } from '@tocsin/contracts'
import type { Command } from '../core/status-change.ts'

/** An act as requests tell it, on one alert or on many, as the core takes it. */
export function commandOf(act: BulkAct): Command {
  switch (act.act) {
    case 'acknowledge':
    case 'unacknowledge':
    case 'reopen':
      return { action: act.act, comment: act.comment }
    case 'resolve': {
      const { notes, action: resolutionAction, metadata, comment } = act
      return { action: 'resolve', notes, resolutionAction, metadata, comment }
    }
    case 'dismiss':
      return { action: 'dismiss', reason: act.reason, notes: act.notes, comment: act.comment }
    case 'assign':
      return { action: 'assign', assignee: act.assignee, comment: act.comment }
    case 'comment':
      return { action: 'comment', comment: act.comment }
    case 'label':
      return { action: 'label', add: act.add ?? [], remove: act.remove ?? [] }
  }
}

export const ACT_PERMISSIONS: Readonly<Record<BulkAct['act'], Permission>> = {
  acknowledge: 'alerts:acknowledge',
  unacknowledge: 'alerts:acknowledge',
  resolve: 'alerts:resolve',
  dismiss: 'alerts:dismiss',
  reopen: 'alerts:resolve',
  assign: 'alerts:acknowledge',
  comment: 'alerts:comment',
  label: 'alerts:comment',
}
