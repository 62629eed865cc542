import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { lintWorkspaceFile } from '../../../src/config/workspace.ts'

test('the weir.yaml of the reference page is right, but for the secrets and files that are not here', () => {
  const page = readFileSync(resolve(import.meta.dirname, '../../../docs/reference/definitions.md'), 'utf8')
  const [, example] = /```yaml\n(broker:[\s\S]*?)```/.exec(page)!
  const dir = mkdtempSync(join(tmpdir(), 'weir-reference-'))
  writeFileSync(join(dir, 'weir.yaml'), example!)
  const problems = lintWorkspaceFile(join(dir, 'weir.yaml'), {}, { unsetVariables: 'warning' })
  expect(problems.map(problem => `${problem.severity} ${problem.code} ${problem.pointer}`)).toEqual([
    'warning config.variable /broker/kafka/brokers/0',
    'warning config.invalid /broker/kafka/tls/ca',
    'warning config.variable /broker/kafka/sasl/scram_sha_512/password',
    'warning config.variable /registry/auth/basic/password',
  ])
  rmSync(dir, { recursive: true, force: true })
})
