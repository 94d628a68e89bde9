import { useMutation, useQueryClient } from '@tanstack/react-query'
import { ApiError } from '../../api/request.ts'
import { ruleQuery, rulesQuery } from '../../api/rule-queries.ts'
import { type RuleOrder, rulesApi } from '../../api/rules.ts'

/** A change of a rule, made by what is shown: its etag goes along. */
export type RuleChange = RuleOrder | { readonly act: 'save'; readonly content: string; readonly reason: string }

/** `etag` null: a rule that is not there yet. */
export function useRuleChanges(organizationId: string, ruleId: string, etag: string | null) {
  const client = useQueryClient()
  return useMutation({
    mutationFn: async (change: RuleChange) => {
      if (change.act === 'save') {
        const { content, reason } = change
        if (etag === null) await refuseTaken(organizationId, ruleId)
        return rulesApi.saveDraft(organizationId, ruleId, etag, { content, reason })
      }
      return rulesApi.act(organizationId, ruleId, etag ?? '*', change)
    },
    onSuccess: (changed) => {
      client.setQueryData(ruleQuery(organizationId, ruleId).queryKey, changed)
      void client.invalidateQueries({ queryKey: rulesQuery(organizationId).queryKey })
    },
    onError: (error) => {
      // Somebody was first, as the answer says: the rule is shown as it is now, and the next try goes from there.
      if (error instanceof ApiError && (error.status === 409 || error.status === 412))
        void client.invalidateQueries({ queryKey: ruleQuery(organizationId, ruleId).queryKey })
    },
  })
}

/** A new rule under the id of another one would be a draft of that. @throws Error with a sentence */
async function refuseTaken(organizationId: string, ruleId: string): Promise<void> {
  const found = await rulesApi.one(organizationId, ruleId).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404) return null
    throw error
  })
  if (found !== null) throw new Error(`There is a rule ${ruleId} already. Open it, or take another id.`)
}
