// Names of Avro types, fields and symbols, and how a name without a namespace is completed.
import { primitiveKinds } from '../schema/tree.ts'
import type { Report } from './problem.ts'

const shape = /^[A-Za-z_][A-Za-z0-9_]*$/

export interface FullName {
  /** With the namespace. */
  readonly full: string
  /** Without it. */
  readonly short: string
  /** '' for none. */
  readonly namespace: string
}

/** A name as written, in a namespace: a dot in the name outweighs the namespace. */
export function fullNameOf(written: string, namespace: string): FullName {
  const dot = written.lastIndexOf('.')
  const short = written.slice(dot + 1)
  const own = dot < 0 ? namespace : written.slice(0, dot)
  return { full: own === '' ? short : `${own}.${short}`, short, namespace: own }
}

/** The name of a type definition, checked. null when it has none. */
export function nameOf(json: Record<string, unknown>, outer: string, at: string, report: Report): FullName | null {
  const written = json['name']
  if (typeof written !== 'string') {
    const kind = String(json['type'])
    report({
      severity: 'error',
      code: 'name_missing',
      pointer: at,
      message: `This ${kind} has no name.`,
      hint: `Add "name": every ${kind} needs one.`,
    })
    return null
  }
  const own = json['namespace']
  const name = fullNameOf(written, typeof own === 'string' ? own : outer)
  const ownIsUsed = typeof own === 'string' && !written.includes('.')
  for (const part of name.namespace === '' ? [] : name.namespace.split('.'))
    if (!checkName(part, ownIsUsed ? `${at}/namespace` : `${at}/name`, 'part of a namespace', report)) break
  checkName(name.short, `${at}/name`, 'name', report)
  if (primitiveKinds.has(name.full))
    report({
      severity: 'error',
      code: 'name_invalid',
      pointer: `${at}/name`,
      message: `${name.full} is a primitive type and cannot be defined anew.`,
      hint: 'Choose another name, or put it into a namespace.',
    })
  return name
}

/** False, and reported, for what is no Avro name. */
export function checkName(word: unknown, at: string, what: string, report: Report): boolean {
  if (typeof word === 'string' && shape.test(word)) return true
  report({
    severity: 'error',
    code: 'name_invalid',
    pointer: at,
    message: typeof word === 'string' ? `${quoted(word)} is not a valid ${what}.` : `A ${what} is not text.`,
    hint: 'Use the letters A to Z and a to z, digits and _, not starting with a digit.',
  })
  return false
}

/** For messages: cut where it is long. */
export function quoted(word: string): string {
  return JSON.stringify(word.length > 80 ? `${word.slice(0, 77)}...` : word)
}
