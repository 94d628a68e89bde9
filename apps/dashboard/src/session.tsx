import type { Me } from '@tocsin/contracts'
import { createContext, useContext } from 'react'

export type Membership = Me['organizations'][number]

export interface SignedIn {
  readonly me: Me
  /** The one whose alerts are shown. */
  readonly organization: Membership
  readonly choose: (organizationId: string) => void
}

export const SignedInContext = createContext<SignedIn | null>(null)

export function useSignedIn(): SignedIn {
  const session = useContext(SignedInContext)
  if (session === null) throw new Error('useSignedIn outside the signed-in layout')
  return session
}

const REMEMBERED = 'tocsin.organization'

/** The organization named by the address, else the one last chosen here, else the first. */
export function pickOrganization(organizations: readonly Membership[], named: string | undefined): Membership | undefined {
  const by = (value: string | null | undefined) =>
    organizations.find((each) => each.slug === value || each.organizationId === value)
  return by(named) ?? by(localStorage.getItem(REMEMBERED)) ?? organizations[0]
}

export const rememberOrganization = (organization: Membership): void =>
  localStorage.setItem(REMEMBERED, organization.organizationId)
