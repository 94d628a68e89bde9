import { describe, expect, it } from 'vitest'
import { categoryOf, classificationOf, operationOf, outcomeOf } from './classify.ts'

describe('the category of an action', () => {
  it.each([
    ['auth.login.failure', 'authentication'],
    ['AUTH.LOGIN', 'authentication'],
    ['user-signin', 'authentication'],
    ['sso/mfa', 'authentication'],
    ['session_logout', 'authentication'],
    ['auth.role.grant', 'authorization'],
    ['auth.permissions.change', 'authorization'],
    ['account.delete', 'authorization'],
    ['login.policy', 'authorization'],
    ['data.export', 'data'],
    ['fhir.patient.read', 'data'],
    ['file:open', 'data'],
    ['config.update', 'configuration'],
    ['rule.create', 'configuration'],
    ['system.start', 'system'],
    ['data.config.update', 'data'],
    ['s3:GetObject', 'other'],
    ['authentic.thing', 'other'],
    ['', 'other'],
  ])('%s is %s', (action, category) => {
    expect(categoryOf({ action })).toBe(category)
  })

  it('is data for any other action with a target', () => {
    expect(categoryOf({ action: 'config.update', targetResourceType: 'bucket' })).toBe('data')
    expect(categoryOf({ action: 'auth.login', targetResourceType: 'bucket' })).toBe('authentication')
  })

  it('counts a later authentication word that stands before no authorization word', () => {
    expect(categoryOf({ action: 'auth.role.login' })).toBe('authentication')
  })
})

describe('the operation of an action', () => {
  it.each([
    ['auth.login.failure', 'login'],
    ['auth.logon', 'login'],
    ['user.logout', 'logout'],
    ['data.export', 'export'],
    ['data.import.list', 'read'],
    ['document.download', 'read'],
    ['record.query', 'read'],
    ['user.role.grant', 'grant'],
    ['user.role.revoke', 'revoke'],
    ['fhir.bundle.process', 'bulk'],
    ['data.bulk.export', 'bulk'],
    ['s3:GetObject', 'other'],
    ['', 'other'],
  ])('%s is %s', (action, operation) => {
    expect(operationOf({ action })).toBe(operation)
  })
})

describe('the outcome', () => {
  it('follows the status', () => {
    expect(outcomeOf({ status: 'success' })).toBe('success')
    expect(outcomeOf({ status: 'failure' })).toBe('failure')
    expect(outcomeOf({ status: 'attempt' })).toBe('unknown')
  })

  it.each(['Unauthorized', 'got ACCESS DENIED here', '403 Forbidden', 'permission denied (publickey)'])(
    'is denied for a failure described as "%s"',
    (outcomeDescription) => {
      expect(outcomeOf({ status: 'failure', outcomeDescription })).toBe('denied')
      expect(outcomeOf({ status: 'success', outcomeDescription })).toBe('success')
    },
  )
})

describe('the classification', () => {
  it('is PHI for the FHIR patient-record types and INTERNAL else', () => {
    expect(classificationOf({ action: 'fhir.patient.read' })).toBe('PHI')
    expect(classificationOf({ action: 'data.read', targetResourceType: 'Observation' })).toBe('PHI')
    expect(classificationOf({ action: 'fhir.organization.read' })).toBe('INTERNAL')
    expect(classificationOf({ action: 'data.read', targetResourceType: 'constructor' })).toBe('INTERNAL')
    expect(classificationOf({ action: 'patient.list' })).toBe('INTERNAL')
  })
})
