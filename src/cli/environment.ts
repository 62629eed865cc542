// The variables weir reads, as a table: checked at the start of every command, printed in the reference. A known variable that is
// set but empty is a mistake in somebody's deployment; an unknown WEIR_ variable is likely a misspelt one.
import { WeirError } from '../core/errors.ts'
import { closest } from '../core/suggest.ts'
import { parseHost, parsePort } from './arguments.ts'
import { printable, type Terminal } from './terminal.ts'

interface Variable {
  readonly doc: string
  /** Throws when the value has no meaning. */
  readonly check?: (value: string) => void
}

export const logLevels = ['debug', 'info', 'warn', 'error', 'fatal'] as const

export const environment: Readonly<Record<string, Variable>> = {
  WEIR_BROKER: {
    doc: 'Overrides the addresses of `broker` in weir.yaml: `embedded`, `host:port[,host:port]` or `kafka://host:port,…`. Credentials and tls written there stay in force; without weir.yaml the connection is plain.',
  },
  WEIR_REGISTRY: {
    doc: 'Overrides the address of `registry` in weir.yaml: `embedded` or a url. Auth and tls written there stay in force.',
  },
  WEIR_REGISTRY_TOKEN: {
    doc: 'The token that `weir registry serve` asks its clients for; `--token` wins. `${file:/path}` is read anew at every use.',
  },
  WEIR_REGISTRY_READ_TOKEN: {
    doc: 'Another token for `weir registry serve`, for clients that may look and not change; `--read-token` wins.',
  },
  WEIR_HOST: {
    doc: 'The address to listen on, for what listens; `--host` wins.',
    check: value => void parseHost(value, 'WEIR_HOST'),
  },
  WEIR_PORT: {
    doc: 'The port to listen on, for what listens; `--port` wins.',
    check: value => void parsePort(value, 'WEIR_PORT'),
  },
  WEIR_LOG_LEVEL: {
    doc: `The quietest level that is logged; \`--log-level\` wins: ${logLevels.join(', ')}.`,
    check: value => {
      if (!(logLevels as readonly string[]).includes(value))
        throw new WeirError('usage.invalid', `WEIR_LOG_LEVEL has no meaning: ${printable(value, 80)}`, {
          at: 'environment variable WEIR_LOG_LEVEL',
          hint: `Write one of ${logLevels.join(', ')}.`,
        })
    },
  },
  WEIR_DEBUG: { doc: '`1` adds stack traces to errors and shows warnings of the runtime.' },
  WEIR_DEMO_VENDOR: { doc: 'Where pipelines/demo-reviews.yaml finds its vendor, when it is not the simulated one.' },
  WEIR_DEMO_NETWORK: {
    doc: 'The private addresses at which that vendor may be, such as 172.31.77.0/24. Default: this machine.',
  },
  WEIR_FAILPOINT: { doc: 'For tests: makes the process die, fail or wait at a named place.' },
  WEIR_REQUIRE: { doc: 'For tests: services whose absence is a failure, not a skip.' },
}

/** Warnings about the environment. @throws usage.invalid for a known variable that is empty or has no meaning. */
export function checkEnvironment(env: Terminal['env']): { readonly message: string; readonly hint: string }[] {
  for (const [name, variable] of Object.entries(environment)) {
    const value = env[name]
    if (value === undefined) continue
    if (value === '')
      throw new WeirError('usage.invalid', `${name} is set but empty`, {
        at: `environment variable ${name}`,
        hint: `Give it a value, or unset it. ${variable.doc}`,
      })
    variable.check?.(value)
  }
  return Object.keys(env)
    .filter(name => name.startsWith('WEIR_') && !Object.hasOwn(environment, name))
    .sort()
    .map(name => ({ message: `unknown environment variable ${printable(name, 80)}`, hint: hintFor(name) }))
}

function hintFor(name: string): string {
  const near = closest(name, Object.keys(environment))
  return near
    ? `Did you mean ${near}?`
    : 'Names that start with WEIR_ are for weir itself; name your own variables differently.'
}
