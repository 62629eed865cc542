// The table of codes, the code that raises them and the page about them say the same.
import { readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { type Code, codeOf, codes, exitCodeOf, toWeirError, WeirError } from '../../../src/core/errors.ts'

const root = resolve(import.meta.dirname, '../../..')
const table = Object.keys(codes) as Code[]
const families = new Set(table.map(code => code.split('.')[0]!))

const sources = readdirSync(join(root, 'src'), { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts') && file !== join('core', 'errors.ts'))
  .map(file => ({ file, text: readFileSync(join(root, 'src', file), 'utf8') }))

describe('the table of codes', () => {
  test('has no code that nothing raises', () => {
    // A comparison is no raising: only a code that is given somewhere counts.
    const raises = (text: string, code: Code) =>
      new RegExp(`(?<![!=]== )(?<!case )'${code.replace('.', '\\.')}'`).test(text)
    const never = table.filter(code => !sources.some(({ text }) => raises(text, code)))
    expect(never).toEqual([])
  })

  test('has every code that a docstring promises', () => {
    const promised = /@throws ((?:[a-z_]+(?:\.(?:[a-z_]+|\*))?(?:, | or | and )?)+)/g
    const known = (code: string) => code in codes || (code.endsWith('.*') && families.has(code.slice(0, -2)))
    const wrong = sources.flatMap(({ file, text }) =>
      [...text.matchAll(promised)]
        .flatMap(([, list]) => list!.match(/[a-z_]+\.(?:[a-z_]+|\*)/g) ?? [])
        .filter(code => !known(code))
        .map(code => `${file}: ${code}`),
    )
    expect(wrong).toEqual([])
  })

  test('is the page docs/reference/errors.md, line for line', () => {
    const page = readFileSync(join(root, 'docs/reference/errors.md'), 'utf8')
    const rows = page.split('\n').filter(line => line.startsWith('| `'))
    expect(rows).toEqual(
      Object.entries(codes).map(
        ([code, { exit, retry, doc }]) =>
          `| \`${code}\` | ${exit} | ${retry ? 'yes' : 'no'} | ${doc.replaceAll('|', '\\|')} |`,
      ),
    )
  })

  test('names codes as family.name, each with a sentence', () => {
    for (const [code, { doc }] of Object.entries(codes)) {
      if (code !== 'internal') expect(code).toMatch(/^[a-z_]+\.[a-z_]+$/)
      expect(doc, code).toMatch(/^\S.*\.$/)
    }
  })
})

describe('a thrown value', () => {
  const full = new WeirError('log.full', 'no space', { hint: 'Make room.' })

  test('has the code of the first WeirError in its causes', () => {
    expect(codeOf(new Error('outer', { cause: new Error('middle', { cause: full }) }))).toBe('log.full')
    expect(toWeirError(new Error('outer', { cause: full }))).toBe(full)
    expect([full.retry, exitCodeOf(full)]).toEqual([true, 3])
  })

  test.each([new Error('x'), 'x', null, undefined, { code: 'log.full' }])(
    'that is none of ours is internal: %s',
    thrown => {
      expect([codeOf(thrown), exitCodeOf(thrown), toWeirError(thrown).code]).toEqual(['internal', 1, 'internal'])
    },
  )

  test('whose causes run in a circle ends', () => {
    const circle = new Error('round')
    circle.cause = circle
    expect(codeOf(circle)).toBe('internal')
  })
})
