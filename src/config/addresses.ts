// Addresses of brokers and registries: host:port lists and URLs, as they stand in weir.yaml, WEIR_BROKER and WEIR_REGISTRY.
import { remember } from '../core/secret.ts'

/** What is wrong with an address, and what to write. */
export interface AddressFault {
  readonly message: string
  readonly hint: string
}

const fault = (message: string, hint: string): AddressFault => ({ message, hint })
const hostPort = /^(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9_](?:[a-zA-Z0-9_.-]*[a-zA-Z0-9_])?\.?):(\d{1,5})$/
const maxBrokers = 100

/** `host:port`, or several with commas; `kafka://` may stand before the first. */
export function parseBrokers(text: string, mayHaveScheme: boolean): readonly string[] | AddressFault {
  const rest = mayHaveScheme ? text.replace(/^kafka:\/\//, '') : text
  const brokers = rest.split(',').map(part => part.trim())
  if (brokers.length > maxBrokers)
    return fault(`names more than ${maxBrokers} brokers.`, 'A few are enough: they name the others.')
  for (const broker of brokers) {
    const wrong = wrongWithBroker(broker)
    if (wrong) return wrong
  }
  return brokers
}

function wrongWithBroker(broker: string): AddressFault | undefined {
  const hint = 'Write host:port, such as redpanda:9092.'
  if (broker === '') return fault('has an empty address.', hint)
  if (hideUserinfo(broker))
    return fault('holds a user name or password.', 'Write them as `sasl`, the password in a variable.')
  if (/^[a-z][a-z0-9+_.-]*:\/\//i.test(broker)) return fault('has a scheme.', hint)
  const [, , port] = hostPort.exec(broker) ?? []
  if (port === undefined) return fault(/:\d*$/.test(broker) ? 'is no host:port.' : 'has no port.', hint)
  return Number(port) >= 1 && Number(port) <= 65_535
    ? undefined
    : fault('has a port that cannot be.', 'Ports are 1 to 65535.')
}

/** An http or https URL without user name, query or fragment; gives it without a slash at its end. */
export function parseServiceUrl(text: string): URL | AddressFault {
  if (hideUserinfo(text))
    return fault('holds a user name or password.', 'Write them as `auth`, the password in a variable.')
  const url = URL.parse(text)
  if (!/^[a-z][a-z0-9+.-]*:\/\//i.test(text) || url === null)
    return /^[a-z][a-z0-9+.-]*:\/\//i.test(text)
      ? fault('is no address.', 'Write the full address: https://host/path.')
      : fault('has no scheme.', 'Write the full address: https://…')
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    return fault(`has the scheme ${url.protocol.slice(0, -1)}.`, 'Only http and https are called.')
  if (url.search !== '' || url.hash !== '')
    return fault('has a query or a fragment.', 'Write the address up to the path.')
  return url
}

/** True when there is something before an @ in the authority: it must not show in the message. */
function hideUserinfo(text: string): boolean {
  const userinfo = /^(?:[a-z][a-z0-9+.-]*:\/\/)?([^/?#\s]*)@/i.exec(text)?.[1]
  if (userinfo === undefined) return false
  for (const part of [userinfo, ...userinfo.split(':')]) remember(part)
  return true
}

/** True for an address of this very machine: what goes there passes no wire. */
export const isLocalHost = (hostname: string): boolean => /^(localhost|127(\.\d+){3}|\[::1\])$/i.test(hostname)
