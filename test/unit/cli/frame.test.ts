import { Option } from 'commander'
import { expect, test } from 'vitest'
import { runCli } from '../../../src/cli/frame.ts'
import type { CommandEntry } from '../../../src/cli/index.ts'
import { codes, WeirError } from '../../../src/core/errors.ts'
import { Secret } from '../../../src/core/secret.ts'
import { memoryTerminal } from '../../support/terminal.ts'

/** A small set of commands: one that prints its options, one that fails, one whose loading fails. */
const commands: Record<string, CommandEntry> = {
  echo: {
    summary: 'Print what was given',
    group: 'Workshop',
    load: async () => ({
      register: (program, context) => {
        program
          .command('echo')
          .argument('[text]')
          .option('--many <word...>', 'words')
          .option('--once <word>', 'a word')
          .addOption(new Option('--left').conflicts('right'))
          .option('--right')
          .action((text, options) => context.output.document({ text, ...options }))
      },
    }),
  },
  fail: {
    summary: 'Fail',
    group: 'Workshop',
    load: async () => ({
      register: program => {
        program
          .command('fail')
          .argument('<how>')
          .action(how => {
            if (how === 'defect') throw new TypeError('x is undefined')
            if (how === 'secret') throw new WeirError('fetch.fatal', 'key s3cr3t-canary was refused')
            throw new WeirError('log.busy', 'the store is locked', { at: '/data', hint: 'Try again.' })
          })
      },
    }),
  },
  broken: { summary: 'Never loads', group: 'Workshop', load: () => Promise.reject(new Error('loaded without need')) },
}

async function run(argv: string[], options: Parameters<typeof memoryTerminal>[0] = {}) {
  const terminal = memoryTerminal(options)
  const code = await runCli(argv, terminal, commands)
  return { code, out: terminal.out(), err: terminal.err() }
}

test.each<[string, string[], RegExp]>([
  ['no command', [], /no command given/],
  ['an unknown command', ['ecko'], /unknown command 'ecko'[\s\S]*Did you mean echo\?/],
  ['an unknown flag', ['echo', '--onse', 'x'], /unknown option '--onse'[\s\S]*Did you mean --once\?/],
  ['a flag without its value', ['echo', '--once'], /argument missing/],
  ['a flag where a value should be', ['echo', '--once', '--many'], /--once needs a value, but --many follows/],
  ['a flag twice', ['echo', '--once', 'a', '--once', 'b'], /--once is given twice/],
  [
    'a global flag twice, on both sides of the command',
    ['--data', 'a', 'echo', '--data', 'b'],
    /--data is given twice/,
  ],
  ['flags that exclude each other', ['echo', '--left', '--right'], /cannot be used with option '--right'/],
  ['too many arguments', ['echo', 'a', 'b'], /too many arguments/],
  ['a missing argument', ['fail'], /missing required argument 'how'/],
  ['only the end of flags', ['--'], /no command given/],
])('%s is refused with exit code 2 and a hint', async (_name, argv, message) => {
  const { code, out, err } = await run(argv)
  expect(err).toMatch(message)
  expect(err).toMatch(/error\[usage\.invalid\]/)
  expect(err).toMatch(/hint: /)
  expect({ code, out }).toEqual({ code: 2, out: '' })
})

test('a flag that gathers values may repeat', async () => {
  const { code, out } = await run(['echo', '--many', 'a', '--many', 'b', '--json'])
  expect({ code, document: JSON.parse(out) }).toEqual({ code: 0, document: { many: ['a', 'b'] } })
})

test('global flags work before and after the command', async () => {
  expect((await run(['--json', 'echo', 'x'])).out).toBe('{"text":"x"}\n')
  expect((await run(['echo', 'x', '--json'])).out).toBe('{"text":"x"}\n')
})

test('loads only the command that is called, and none for help and version', async () => {
  const help = await run(['--help'])
  expect(help.code).toBe(0)
  expect(help.out).toMatch(/echo\s+Print what was given/)
  expect((await run(['--version'])).out).toMatch(/^weir \d+\.\d+\.\d+/)
  expect((await run(['broken'])).code).toBe(1)
})

test('help of a command names its flags, the global ones, and is fine', async () => {
  const { code, out } = await run(['help', 'echo'])
  expect(code).toBe(0)
  expect(out).toContain('--once <word>')
  expect(out).toContain('--json')
})

test('an error is printed with code, place and hint, and exits as the table says', async () => {
  const { code, out, err } = await run(['fail', 'busy'])
  expect({ code, out }).toEqual({ code: codes['log.busy'].exit, out: '' })
  expect(err).toBe('error[log.busy] the store is locked\n  at: /data\n  hint: Try again.\n')
})

test('with --json an error is one JSON object on stderr', async () => {
  const { err } = await run(['fail', 'busy', '--json'])
  expect(JSON.parse(err)).toEqual({
    error: { code: 'log.busy', message: 'the store is locked', at: '/data', hint: 'Try again.' },
  })
  expect(JSON.parse((await run(['nope', '--json'])).err)).toMatchObject({ error: { code: 'usage.invalid' } })
})

test('a defect shows no stack, except with WEIR_DEBUG=1', async () => {
  const quiet = await run(['fail', 'defect'])
  expect(quiet.code).toBe(1)
  expect(quiet.err).toContain('error[internal] x is undefined')
  expect(quiet.err).not.toMatch(/^\s+at .*frame/m)
  expect((await run(['fail', 'defect'], { env: { WEIR_DEBUG: '1' } })).err).toMatch(/frame\.test\.ts:\d+/)
})

test('I9: a secret in an error is printed as ***', async () => {
  new Secret('s3cr3t-canary')
  expect((await run(['fail', 'secret'])).err).toContain('key *** was refused')
})

test('control and bidi characters of an argument never reach the terminal as they are', async () => {
  const { err } = await run(['\u001b[31mred\u202e'])
  expect(err).not.toMatch(/[\u001b\u202e]/)
  expect(err).toContain('\\u001b[31mred\\u202e')
})

test('a huge argument gives a short message', async () => {
  const { code, err } = await run(['x'.repeat(1_000_000)])
  expect(code).toBe(2)
  expect(err.length).toBeLessThan(2000)
})

test('an unknown WEIR_ variable is told once, with what was likely meant', async () => {
  const { code, err } = await run(['echo'], { env: { WEIR_PROT: '1' } })
  expect(code).toBe(0)
  expect(err).toBe('warning unknown environment variable WEIR_PROT\n  hint: Did you mean WEIR_PORT?\n')
})

test.each(['WEIR_PORT', 'WEIR_HOST', 'WEIR_BROKER', 'WEIR_REGISTRY'])('an empty %s is refused', async name => {
  const { code, err } = await run(['echo'], { env: { [name]: '' } })
  expect(code).toBe(2)
  expect(err).toContain(`${name} is set but empty`)
})

test('help is given even where the environment is wrong', async () => {
  expect((await run(['--help'], { env: { WEIR_PORT: '' } })).code).toBe(0)
})

test('colour only on a terminal, and never against NO_COLOR or --no-color', async () => {
  const coloured = async (options: Parameters<typeof memoryTerminal>[0], argv: string[] = []) =>
    (await run(['fail', 'busy', ...argv], options)).err.includes('\u001b[')
  expect(await coloured({ tty: 80 })).toBe(true)
  expect(await coloured({})).toBe(false)
  expect(await coloured({ env: { FORCE_COLOR: '1' } })).toBe(true)
  expect(await coloured({ tty: 80, env: { FORCE_COLOR: '0' } })).toBe(false)
  expect(await coloured({ tty: 80, env: { NO_COLOR: '1' } })).toBe(false)
  expect(await coloured({ tty: 80 }, ['--no-color'])).toBe(false)
  expect(await coloured({ tty: 80, env: { TERM: 'dumb' } })).toBe(false)
})
