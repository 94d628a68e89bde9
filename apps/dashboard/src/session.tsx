import { ROLE_PERMISSIONS } from '@tocsin/access/roles'
import type { Me, Permission, Role } from '@tocsin/contracts'
import { createContext, useContext } from 'react'

export type Membership = Me['organizations'][number]
/** Whether somebody may do something in an organization. The server decides; here it decides what is offered. */
export type May = (permission: Permission) => boolean

export interface SignedIn {
  readonly me: Me
  /** The one whose alerts are shown. */
  readonly organization: Membership
  /** In that organization. */
  readonly may: May
  readonly choose: (organizationId: string) => void
}

const isRole = (role: string): role is Role => Object.hasOwn(ROLE_PERMISSIONS, role)
/** As somebody with this role; one that is not known here is offered nothing. */
export const mayAs =
  (role: string | undefined): May =>
  (permission) =>
    role !== undefined && isRole(role) && ROLE_PERMISSIONS[role].has(permission)

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
