import { type Static, Type } from 'typebox'
import { ROLES } from '../permissions.ts'
import { type ApiOperation, Failures, InOrganization, WriteHeaders } from './operation.ts'

export const Member = Type.Object({ subject: Type.String(), role: Type.Enum([...ROLES]) }, { $id: 'Member' })
export type Member = Static<typeof Member>

export const SetMember = Type.Object({ role: Type.Enum([...ROLES]) }, { $id: 'SetMember', additionalProperties: false })

const MemberParams = Type.Object({
  subject: Type.String({
    minLength: 1,
    maxLength: 255,
    description: 'As tokens name the person, for instance an e-mail address',
  }),
})

export const MEMBER_OPERATIONS = {
  listMembers: {
    service: 'persistence',
    method: 'GET',
    url: '/api/members',
    summary: 'Who belongs to an organization',
    permission: 'members:read',
    schema: {
      querystring: InOrganization,
      response: { 200: Type.Object({ items: Type.Array(Member) }, { $id: 'MemberList' }), ...Failures },
    },
  },
  setMember: {
    service: 'persistence',
    method: 'PUT',
    url: '/api/members/:subject',
    summary: 'Add a member, or change its role (admin); an organization keeps at least one admin',
    permission: 'members:write',
    schema: {
      params: MemberParams,
      querystring: InOrganization,
      headers: WriteHeaders,
      body: SetMember,
      response: { 200: Member, ...Failures },
    },
  },
  removeMember: {
    service: 'persistence',
    method: 'DELETE',
    url: '/api/members/:subject',
    summary: 'Remove a member (admin); an organization keeps at least one admin',
    permission: 'members:write',
    schema: { params: MemberParams, querystring: InOrganization, headers: WriteHeaders, response: { 200: Member, ...Failures } },
  },
  signOutMember: {
    service: 'persistence',
    method: 'POST',
    url: '/api/members/:subject/sign-out',
    summary: 'Refuse every token that a member has now, everywhere (admin): it must sign in again',
    permission: 'members:write',
    schema: { params: MemberParams, querystring: InOrganization, headers: WriteHeaders, response: { 200: Member, ...Failures } },
  },
} as const satisfies Record<string, ApiOperation>
