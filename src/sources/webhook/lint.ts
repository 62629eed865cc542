// Mistakes in a `webhook` source that its schema cannot express. Never listens.
import { reveal } from '../../core/secret.ts'
import type { Problem } from '../../core/spec.ts'
import { formatBytes } from '../../core/units.ts'
import { signedText } from './proof.ts'
import type { SignatureConfig, WebhookConfig } from './spec.ts'

type Add = (pointer: string, message: string, hint: string, code?: Problem['code']) => void

/** A shorter secret can be guessed. */
const leastSecretLength = 16
const tokenPattern = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/

export function lintWebhook(config: WebhookConfig): readonly Problem[] {
  const problems: Problem[] = []
  const add: Add = (pointer, message, hint, code = 'config.invalid') =>
    problems.push({ severity: code === 'config.warning' ? 'warning' : 'error', code, message, pointer, hint })
  lintSender(config, add)
  if (config.signature) lintSignature(config.signature, config.id, add)
  lintPlace(config, add)
  return problems
}

function lintSender({ signature, unsigned, path }: WebhookConfig, add: Add): void {
  if (signature === undefined && unsigned === undefined)
    add(
      '',
      'Nothing proves who sends a delivery.',
      'Add `signature: { header: …, secret: … }`. For a vendor that signs nothing say so: `unsigned: { bearer: … }` or `unsigned: { path_secret: … }`.',
      'config.missing_field',
    )
  if (signature !== undefined && unsigned !== undefined)
    add('/unsigned', '`signature` and `unsigned` exclude each other.', 'Keep `signature`.', 'config.conflict')
  const secrets = [
    ['/unsigned/bearer', unsigned?.bearer],
    ['/unsigned/path_secret', unsigned?.path_secret],
    ['/signature/secret', signature?.secret],
    ['/signature/previous_secret', signature?.previous_secret],
  ] as const
  for (const [pointer, secret] of secrets)
    if (secret !== undefined && reveal(secret).length < leastSecretLength)
      add(
        pointer,
        `The secret has fewer than ${leastSecretLength} characters: it can be guessed.`,
        'Make one with: openssl rand -hex 32',
        'config.warning',
      )
  const segment = unsigned?.path_secret === undefined ? undefined : reveal(unsigned.path_secret)
  if (segment !== undefined && !/^[A-Za-z0-9._~-]+$/.test(segment))
    add('/unsigned/path_secret', 'The secret cannot stand in a path as it is.', 'Use letters, digits, - and _ only.')
  if (/(^|\/)\.{1,2}(\/|$)|\/\//.test(path))
    add('/path', 'The path has a part that clients take out or change.', 'Write it without . , .. and //.')
}

function lintSignature(signature: SignatureConfig, id: string | undefined, add: Add): void {
  const { header, timestamp_header, algorithm, secret_encoding } = signature
  for (const [key, name] of [
    ['header', header],
    ['timestamp_header', timestamp_header],
  ] as const)
    if (name !== undefined && !tokenPattern.test(name))
      add(`/signature/${key}`, 'This is no name of a header.', 'Use letters, digits and dashes.')
  const parts = signedText(signature)
  if (parts.length !== 2)
    add(
      '/signature/sign',
      `The signed text has {{ body }} ${parts.length === 1 ? 'nowhere' : 'more than once'}.`,
      'Write it once, as {{ body }}: it stands for the bytes of the body.',
    )
  const hasTime = /\{\{[^}]*\btimestamp\b/.test(parts.join(' '))
  if (
    timestamp_header !== undefined &&
    !hasTime &&
    !parts.join(' ').toLowerCase().includes(timestamp_header.toLowerCase())
  )
    add(
      '/signature/sign',
      'The timestamp is not part of what is signed: anyone can put a new one on an old delivery.',
      'Write {{ timestamp }} where the vendor signs it, or leave `timestamp_header` out.',
      'config.conflict',
    )
  if (timestamp_header === undefined && hasTime)
    add('/signature/sign', 'There is no timestamp.', 'Name its header: `timestamp_header`.', 'config.conflict')
  if (algorithm === 'sha1')
    add('/signature/algorithm', 'SHA-1 is old.', 'Use sha256 where the vendor offers it.', 'config.warning')
  if (secret_encoding === 'base64')
    for (const key of ['secret', 'previous_secret'] as const) {
      const secret = signature[key]
      if (secret !== undefined && !/^[A-Za-z0-9+/_-]+={0,2}$/.test(reveal(secret)))
        add(
          `/signature/${key}`,
          'The secret is no Base64.',
          'Leave a prefix such as whsec_ out, or remove `secret_encoding`.',
        )
    }
  const unsignedHeaders = [...(id ?? '').matchAll(/headers\s*(?:\[\s*["']([^"']+)["']\s*\]|\.\s*\??\s*(\w+))/g)]
    .map(([, quoted, plain]) => (quoted ?? plain)!.toLowerCase())
    .filter(name => !parts.join(' ').toLowerCase().includes(name))
  if (unsignedHeaders.length > 0 || /\bquery\b/.test(id ?? ''))
    add(
      '/id',
      'The id is not part of what is signed: who has one delivery can send it again under another id.',
      'Take the id from `body`, or leave `id` out: a delivery is known by its body then.',
      'config.warning',
    )
}

function lintPlace({ allowed_hosts, max_body, max_in_flight }: WebhookConfig, add: Add): void {
  allowed_hosts.forEach((name, i) => {
    if (!/^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)$/i.test(name))
      add(`/allowed_hosts/${i}`, 'This is no host name.', 'Write the name alone: no scheme, no port, no path.')
  })
  if (max_in_flight < max_body)
    add(
      '/max_in_flight',
      `A body of \`max_body\` (${formatBytes(max_body)}) would never be taken.`,
      'Make `max_in_flight` several times as large as `max_body`.',
      'config.conflict',
    )
}
