// What every server of ours shares: limits, security headers, the Host check against DNS rebinding, the error when a port is taken.
import { WeirError } from './errors.ts'

/** Options for fastify: a slow or idle client costs little and ends by itself. */
export const serverLimits = {
  bodyLimit: 1024 * 1024,
  requestTimeout: 10_000,
  connectionTimeout: 15_000,
  keepAliveTimeout: 5_000,
  maxRequestsPerSocket: 1_000,
  forceCloseConnections: true,
  routerOptions: { maxParamLength: 1024 },
  http: { maxHeaderSize: 16 * 1024, headersTimeout: 5_000, connectionsCheckingInterval: 1_000 },
} as const

/** Sockets a server holds at once; more are refused. */
export const maxConnections = 256

export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-store',
}

/** True for addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase()
  return bare === 'localhost' || bare === '::1' || /^127(\.\d{1,3}){3}$/.test(bare)
}

/**
 * True when a request with this Host header may be answered by a server bound to `bound`. A page of another site that resolves
 * its own name to 127.0.0.1 is refused; a server bound to another address takes any name unless `allowed` lists some.
 */
export function hostAllowed(header: string | undefined, bound: string, allowed: readonly string[] = []): boolean {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:\d{1,5})?$/i.exec(header ?? '')
  if (!match) return false
  const name = match[1]!.toLowerCase()
  if (allowed.some(one => one.toLowerCase() === name)) return true
  return isLoopback(bound) ? isLoopback(name) : allowed.length === 0
}

/** `http://127.0.0.1:8080`, with IPv6 addresses in brackets. */
export function baseUrl(host: string, port: number): string {
  return `http://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`
}

const listenHints: Record<string, { message: string; hint: string }> = {
  EADDRINUSE: {
    message: 'is in use by another process',
    hint: 'Choose another --port (0 takes a free one), or stop the process that listens there.',
  },
  EACCES: { message: 'may not be used by this user', hint: 'Choose a --port from 1024 on.' },
  EADDRNOTAVAIL: { message: 'is not an address of this machine', hint: 'Use --host 127.0.0.1, or 0.0.0.0 for all.' },
  ENOTFOUND: { message: 'cannot be resolved', hint: 'Use an address, such as --host 127.0.0.1.' },
}

/** What a failed `listen` becomes: listen.failed with place and hint. `words`: how host and port are set here. */
export function listenError(
  thrown: unknown,
  host: string,
  port: number,
  words: { readonly host: string; readonly port: string } = { host: '--host', port: '--port' },
): WeirError {
  const known = listenHints[(thrown as NodeJS.ErrnoException | undefined)?.code ?? '']
  const hint = known?.hint ?? 'Check --host and --port.'
  return new WeirError('listen.failed', `${host}:${port} ${known?.message ?? 'cannot be listened on'}`, {
    at: `${host}:${port}`,
    hint: hint.replaceAll('--host', words.host).replaceAll('--port', words.port),
    cause: thrown,
  })
}
