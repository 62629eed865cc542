// The version that a definition file says it is of.
import type { Problems } from './problem.ts'

/** Without the version, after a word about one that this weir does not read. */
export function knownVersion(value: Record<string, unknown>, problems: Problems): Record<string, unknown> {
  const { version, ...rest } = value
  if (typeof version !== 'number' || version === 1) return value
  problems.add({
    code: 'config.invalid',
    message: `The file is of version ${version}; this weir reads version 1.`,
    pointer: '/version',
    hint: version > 1 ? 'It comes from the future: use a newer weir.' : 'Write `version: 1`, or leave it out.',
  })
  return rest
}
