import { expect, test } from 'vitest'
import { diffLines, eventsOf, keeperOf, offeredActs } from './rule-acts.ts'

test('a rule of this organization can be activated where there is a draft, paused, resumed and retired', () => {
  expect(offeredActs({ owner: 'api', state: 'draft', draft: 1 })).toEqual(['activate', 'retire'])
  expect(offeredActs({ owner: 'api', state: 'active', draft: null })).toEqual(['pause', 'retire'])
  expect(offeredActs({ owner: 'api', state: 'paused', draft: 3 })).toEqual(['activate', 'resume', 'retire'])
  expect(offeredActs({ owner: 'api', state: 'retired', draft: null })).toEqual([])
})

test('whoever is woken at night may stop any rule, and change only those that are kept here', () => {
  expect(offeredActs({ owner: 'folder:rules', state: 'active', draft: null })).toEqual(['pause'])
  expect(offeredActs({ owner: 'pack', state: 'paused', draft: null })).toEqual(['resume'])
  expect(keeperOf({ owner: 'folder:rules', state: 'active' })).toEqual({ kind: 'folder', folder: 'rules' })
  expect(keeperOf({ owner: 'folder:rules', state: 'retired' })).toEqual({ kind: 'here' })
})

test('a diff is its changed places, without the two names', () => {
  const diff = 'Index: x\n====\n--- x 1\n+++ x 2\n@@ -1,2 +1,2 @@\n title: a\n-level: low\n+level: high\n'
  expect(diffLines(diff).map(({ kind }) => kind)).toEqual(['place', 'same', 'removed', 'added'])
  expect(diffLines('')).toEqual([])
})

test('events are told line by line, JSON or not', () => {
  expect(eventsOf('{"a":1}\n\nDec 10 sshd[1]: Failed password\n')).toEqual([{ a: 1 }, 'Dec 10 sshd[1]: Failed password'])
})
