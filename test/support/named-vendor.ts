// Simulated vendors for tests: started in this process, ended with the test, called as their clients call them.
import { onTestFinished } from 'vitest'
import { simulateVendor } from '../../src/simulate/vendors/index.ts'
import type { VendorOptions } from '../../src/simulate/vendors/settings.ts'
import type { VendorSimulation } from '../../src/simulate/vendors/start.ts'

export const user = 'weir-demo'
export const key = 'weir-demo-key'

export interface Heard {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body as JSON; undefined when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every vendor
  readonly body: any
}

export interface Ask {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  /** A text goes as it is, all else as JSON. */
  readonly body?: unknown
}

export interface Named {
  readonly vendor: VendorSimulation
  ask(path: string, ask?: Ask): Promise<Heard>
}

const basic = `Basic ${Buffer.from(`${user}:${key}`).toString('base64')}`
const logins: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  brightdata: { authorization: `Bearer ${key}` },
  dataforseo: { authorization: basic },
  oxylabs: { authorization: basic },
  apify: { authorization: `Bearer ${key}` },
  outscraper: { 'x-api-key': key },
}

/** A vendor of this name, and calls to it with its key where that is a header. */
export async function named(name: string, options: VendorOptions = {}): Promise<Named> {
  const vendor = await simulateVendor(name, options)
  onTestFinished(() => vendor.close())
  return {
    vendor,
    async ask(path, { body, method = body === undefined ? 'GET' : 'POST', headers = logins[name] ?? {} } = {}) {
      const answer = await fetch(vendor.url + path, {
        method,
        headers,
        redirect: 'manual',
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      })
      const text = await answer.text()
      return { status: answer.status, headers: answer.headers, text, body: jsonOf(text) }
    },
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
