import { Type } from 'typebox'
import { expect, test } from 'vitest'
import { configOfProcess, loadConfig, redacted, ServiceConfig } from './index.ts'

const Schema = Type.Object({
  ...ServiceConfig,
  LIMIT: Type.Integer({ default: 5, minimum: 1, description: 'How many' }),
  PASSWORD: Type.String({ secret: true, minLength: 1, description: 'Of the database' }),
})

test('values are converted, defaults are filled, and what the schema does not name is ignored', () => {
  const config = loadConfig(Schema, { KAFKA_BROKERS: 'a:1', PASSWORD: 'x', LIMIT: '7', HOME: '/root' })
  expect(config).toMatchObject({ LIMIT: 7, TOCSIN_ENV: 'production', HOST: '127.0.0.1', METRICS_PORT: 0 })
  expect(config).not.toHaveProperty('HOME')
})

test('all faults are reported at once, each with what the property is for', () => {
  const load = () => loadConfig(Schema, { LIMIT: 'many', PASSWORD: 'hunter2', LOG_LEVEL: 'loud' })
  expect(load).toThrow(/KAFKA_BROKERS is not set \(host:port/)
  expect(load).toThrow(/LIMIT must be integer \(How many\)/)
  expect(load).toThrow(/LOG_LEVEL must be/)
  expect(load).not.toThrow(/hunter2/)
})

test('an empty value counts as not set', () => {
  expect(() => loadConfig(Schema, { KAFKA_BROKERS: '', PASSWORD: 'x' })).toThrow(/KAFKA_BROKERS is not set/)
})

test('development is refused on an address that others can reach', () => {
  expect(() => loadConfig(Schema, { KAFKA_BROKERS: 'a:1', PASSWORD: 'x', TOCSIN_ENV: 'development', HOST: '0.0.0.0' })).toThrow(
    /loopback/,
  )
})

test('--check-config prints the configuration without its secrets and ends', () => {
  let out = ''
  let code: unknown
  const target = {
    env: { KAFKA_BROKERS: 'a:1', PASSWORD: 'hunter2' },
    argv: ['node', 'main.ts', '--check-config'],
    stdout: { write: (text: string) => (out += text) },
    stderr: { write: () => true },
    exit: (status: number) => {
      code = status
    },
  }
  configOfProcess(Schema, target as never)
  expect(code).toBe(0)
  expect(JSON.parse(out)).toMatchObject({ PASSWORD: '[secret]', KAFKA_BROKERS: 'a:1' })
  expect(redacted(Schema, loadConfig(Schema, target.env))['PASSWORD']).toBe('[secret]')
})
