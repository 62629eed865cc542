// The version of this weir, from the package it came in.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageFolder } from '../core/shipped.ts'

export function version(): string {
  const text = readFileSync(join(packageFolder, 'package.json'), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
