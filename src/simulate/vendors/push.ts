// Webhooks of simulated vendors: they go to this machine only, so that a simulator can be turned against nobody.
import { gzipSync } from 'node:zlib'

const pushTimeoutMs = 5_000

export interface Push {
  readonly url: string
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly gzip?: boolean
}

/** True when the address is http on this machine. */
export function mayPush(url: string): boolean {
  const parsed = URL.parse(url)
  return parsed?.protocol === 'http:' && /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(parsed.hostname)
}

/** True when it was taken (2xx). What fails is not tried again. */
export async function push({ url, method = 'POST', headers = {}, body, gzip = false }: Push): Promise<boolean> {
  if (!mayPush(url)) return false
  try {
    const answer = await fetch(url, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(pushTimeoutMs),
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(gzip ? { 'content-encoding': 'gzip' } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: gzip ? gzipSync(body) : body }),
    })
    await answer.arrayBuffer()
    return answer.ok
  } catch {
    return false
  }
}
