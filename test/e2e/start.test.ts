// What a command loads: starting is fast because of what is left out.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { checkoutMain, mainFile, runWeir } from '../support/cli.ts'

const cwd = mkdtempSync(join(tmpdir(), 'weir-start-'))
afterAll(() => rmSync(cwd, { recursive: true, force: true }))

/** Packages that a command loads, by name; of the bundle, what its chunks are named after. */
async function packagesOf(main: string, ...argv: string[]): Promise<readonly string[]> {
  const list = join(cwd, `loaded-${argv.join('-').replace(/\W/g, '')}`)
  const hook = join(cwd, 'hook.mjs')
  writeFileSync(
    hook,
    `import { registerHooks } from 'node:module'
     import { appendFileSync } from 'node:fs'
     registerHooks({ load(url, context, next) {
       const name = /(?:.*\\/node_modules\\/((?:@[^/]+\\/)?[^/]+)\\/|.*\\/chunks\\/(.+)-.{8}\\.js$)/.exec(url)?.slice(1).find(Boolean) ?? /^node:https?$/.exec(url)?.[0]
       if (name) appendFileSync(${JSON.stringify(list)}, name + '\\n')
       return next(url, context)
     } })`,
  )
  writeFileSync(list, '')
  await runWeir(argv, { cwd, main, nodeArgs: ['--import', hook] })
  return [...new Set(readFileSync(list, 'utf8').split('\n').filter(Boolean))].sort()
}

test('the version needs nothing but the command line itself', async () => {
  expect(await packagesOf(checkoutMain, '--version')).toEqual(['commander'])
})

test.each(
  [checkoutMain, mainFile].flatMap(main =>
    ['lint', 'connectors', 'topic list', 'cursor list'].map(
      command => [main === checkoutMain ? 'checkout' : 'package', command, main] as const,
    ),
  ),
)('%s: weir %s loads no server, no HTTP client, no logger', async (_, command, main) => {
  const loaded = await packagesOf(main, ...command.split(' '))
  expect(loaded).toContain('commander')
  const heavy = [
    'fastify',
    'undici',
    'pino',
    'prom-client',
    'opossum',
    'vitest',
    'typescript',
    'node:http',
    'node:https',
  ]
  expect(loaded.filter(name => heavy.includes(name))).toEqual([])
})
