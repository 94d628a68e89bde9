import { TerminalError } from '@tocsin/errors'
import { type Static, Type } from 'typebox'
import { Value } from 'typebox/value'

/** Properties that every service has. */
export const ServiceConfig = {
  TOCSIN_ENV: Type.Enum(['development', 'production'], {
    default: 'production',
    description: 'development allows the local key, sign-in link and mailbox, on loopback only',
  }),
  LOG_LEVEL: Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'], {
    default: 'info',
    description: 'Least severe log line written',
  }),
  KAFKA_BROKERS: Type.String({ minLength: 1, description: 'host:port, several with commas' }),
  KAFKA_TOPIC_PREFIX: Type.String({
    default: '',
    description: 'Before every topic and group name: several installations may share a cluster',
  }),
  HOST: Type.String({ default: '127.0.0.1', description: 'Address to listen on' }),
  METRICS_PORT: Type.Integer({
    default: 0,
    minimum: 0,
    maximum: 65_535,
    description: 'Port of /metrics and /health; 0: a free one',
  }),
}

/** For services that answer HTTP requests of others. */
export const HttpConfig = {
  PORT: Type.Integer({ default: 0, minimum: 0, maximum: 65_535, description: 'HTTP port; 0: a free one' }),
}

type PropertySchema = Type.TSchema & { readonly default?: unknown; readonly description?: string; readonly secret?: boolean }

const LOOPBACK = new Set(['127.0.0.1', '::1', 'localhost'])

/**
 * Reads a configuration from the environment by one schema: converts, fills defaults, ignores what it does not name.
 * Throws TerminalError (TOCSIN_CONFIG_INVALID) that lists all faults at once; values of `secret` properties are never shown.
 */
export function loadConfig<T extends Type.TObject>(schema: T, env: Readonly<Record<string, string | undefined>>): Static<T> {
  const given: Record<string, unknown> = {}
  for (const name of Object.keys(schema.properties)) {
    const value = env[name]
    if (value !== undefined && value !== '') given[name] = value
  }
  const value: unknown = Value.Convert(schema, Value.Default(schema, given))
  const faults = Value.Errors(schema, value).map((error) => describe(schema, error))
  const config = value as Readonly<Record<string, unknown>>
  if (config['TOCSIN_ENV'] === 'development' && typeof config['HOST'] === 'string' && !LOOPBACK.has(config['HOST']))
    faults.push(`HOST: ${config['HOST']} is not loopback, and TOCSIN_ENV=development is allowed on loopback only`)
  if (faults.length > 0)
    throw new TerminalError(`Configuration is not valid:\n  ${[...new Set(faults)].join('\n  ')}`, {
      code: 'TOCSIN_CONFIG_INVALID',
    })
  return value as Static<T>
}

function describe(
  schema: Type.TObject,
  error: { readonly keyword: string; readonly instancePath: string; readonly message: string; readonly params: object },
): string {
  if (error.keyword === 'required') {
    const missing = (error.params as { readonly requiredProperties?: readonly string[] }).requiredProperties ?? []
    return missing
      .map((name) => `${name} is not set (${(schema.properties[name] as PropertySchema | undefined)?.description ?? 'required'})`)
      .join('\n  ')
  }
  const name = error.instancePath.split('/')[1] ?? ''
  const property = schema.properties[name] as PropertySchema | undefined
  return `${name} ${error.message}${property?.description === undefined ? '' : ` (${property.description})`}`
}

/** The configuration as it may be shown: values of `secret` properties replaced. */
export function redacted<T extends Type.TObject>(schema: T, config: Static<T>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(config as Record<string, unknown>).map(([name, value]) => [
      name,
      (schema.properties[name] as PropertySchema).secret === true ? '[secret]' : value,
    ]),
  )
}

/**
 * For a service's `config.ts`: the configuration of this process, or one clear message on standard error and exit code 1.
 * With `--check-config` it prints the configuration without its secrets and exits 0.
 */
export function configOfProcess<T extends Type.TObject>(
  schema: T,
  target: Pick<NodeJS.Process, 'env' | 'argv' | 'exit' | 'stdout' | 'stderr'>,
): Static<T> {
  try {
    const config = loadConfig(schema, target.env)
    if (!target.argv.includes('--check-config')) return config
    target.stdout.write(`${JSON.stringify(redacted(schema, config), null, 2)}\n`)
    return target.exit(0)
  } catch (error) {
    if (!(error instanceof TerminalError)) throw error
    target.stderr.write(`${error.message}\n`)
    return target.exit(1)
  }
}
