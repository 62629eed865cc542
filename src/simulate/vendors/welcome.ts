// What `GET /` of a simulated vendor says to a person.
import type { VendorSettings } from './settings.ts'
import type { VendorSpec } from './vendor.ts'

export function vendorWelcome(
  spec: VendorSpec,
  { user, key }: Pick<VendorSettings, 'user' | 'key'>,
  url: string,
  asins: readonly string[],
): string {
  const login = [
    ...(spec.login.user === undefined ? [] : [`  ${user}   ${spec.login.user}`]),
    ...(spec.login.key === undefined ? [] : [`  ${key}   ${spec.login.key}`]),
  ]
  const faults = Object.entries(spec.faults).map(
    ([name, { scope, doc }]) => `  ${name.padEnd(16)} ${scope.padEnd(5)} ${doc}`,
  )
  return `A simulator of ${spec.name}: ${spec.summary}. Nothing here is the vendor's own, and nothing costs anything.

Try:
${triesOf(spec, { user, key }, url)
  .map(each => `  ${each}`)
  .join('\n')}
  curl ${url}/_journal        what was served, accepted and billed, NDJSON

Asks for:
${login.length > 0 ? login.join('\n') : '  nothing'}

Products: ${asins.join(' ')}

Faults it can have (--fault NAME=SHARE):
${faults.join('\n')}
`
}

/** The example calls, filled in. */
export function triesOf(
  spec: VendorSpec,
  { user, key }: Pick<VendorSettings, 'user' | 'key'>,
  url: string,
): readonly string[] {
  return spec.tries.map(each => each.replaceAll('{url}', url).replaceAll('{user}', user).replaceAll('{key}', key))
}
