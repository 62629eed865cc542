// weir docs: writes what is generated from code, or checks that what is committed is what the code says today.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { WeirError } from '../core/errors.ts'
import type { CliContext } from './context.ts'
import { printable } from './terminal.ts'

export function register(program: Command, context: CliContext): void {
  program
    .command('docs')
    .description('Write docs/reference and the JSON Schemas for editors, from the code')
    .option('--check', 'Write nothing; fail when a page is not what the code says')
    .option('--into <dir>', 'Root folder to write below', '.')
    .addHelpText('after', '\nExamples:\n  weir docs\n  weir docs --check')
    .action((options: { check?: boolean; into: string }) => docs(context, options.check ?? false, options.into))
}

async function docs({ output, terminal, wholeProgram }: CliContext, check: boolean, into: string): Promise<void> {
  const root = resolve(terminal.cwd, into)
  const { generatePages } = await import('./pages.ts')
  const pages = await generatePages(await wholeProgram())
  const stale: string[] = []
  for (const [path, text] of Object.entries(pages)) {
    const there = await readFile(join(root, path), 'utf8').catch(() => null)
    if (there !== text) stale.push(path)
  }
  if (check) {
    if (stale.length > 0)
      throw new WeirError('usage.refused', `generated files are stale: ${stale.join(', ')}`, {
        hint: 'Run npm run generate, look at the difference, and commit it.',
      })
  } else
    for (const path of stale) {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), pages[path]!)
    }
  if (output.json) return output.document({ root, pages: Object.keys(pages), changed: stale })
  if (stale.length === 0) output.line(`${Object.keys(pages).length} generated files are up to date`)
  for (const path of stale) output.line(`wrote ${printable(path)}`)
}
