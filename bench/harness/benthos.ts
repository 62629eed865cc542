// Benthos 4.27, of bench/peers/benthos: built once by Go with just the parts that the bars use, kept outside of the work tree.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cached } from '../../test/support/services/cache.ts'
import { onPath } from '../../test/support/services/java.ts'
import { MissingService } from '../../test/support/services/missing.ts'
import type { Measured } from './measure.ts'
import { measureProgram, type Watch } from './other-process.ts'
import { root } from './scene.ts'

const version = '4.27.0'
const folder = join(root, 'bench', 'peers', 'benthos')
const sources = ['main.go', 'go.mod', 'go.sum']
const buildWithinMs = 900_000

export interface Benthos {
  readonly name: string
  /** Runs `produce.yaml` or `consume.yaml` with the variables they name. */
  run(
    work: 'produce' | 'consume',
    cwd: string,
    env: Readonly<Record<string, string>>,
    watch?: Omit<Watch, 'alive'>,
  ): Promise<Measured>
}

/** @throws MissingService without Go, or when it cannot be built */
export async function findBenthos(): Promise<Benthos> {
  const texts = sources.map(file => readFileSync(join(folder, file), 'utf8'))
  const key = createHash('sha256').update(texts.join('\n')).digest('hex').slice(0, 12)
  const built = await cached(`benthos-${version}-${key}`, build)
  const program = join(built, 'benthos')
  return {
    name: `Benthos ${version}`,
    run: (work, cwd, env, watch) =>
      measureProgram(program, ['-c', join(folder, `${work}.yaml`)], { cwd, env, ...(watch && { watch }) }),
  }
}

async function build(into: string): Promise<void> {
  const go = onPath('go')
  if (go === null) throw new MissingService(`Benthos ${version} is not in the cache, and Go is not there to build it`)
  const workshop = join(into, 'source')
  for (const file of sources) cpSync(join(folder, file), join(workshop, file))
  const options = { cwd: workshop, timeout: buildWithinMs }
  try {
    await promisify(execFile)(go, ['build', '-trimpath', '-o', join(into, 'benthos'), '.'], options)
  } catch (error) {
    const why = String((error as { stderr?: string }).stderr || error)
    throw new MissingService(`Go could not build Benthos ${version}: ${why.slice(0, 300)}`)
  }
}
