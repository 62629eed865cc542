// Confluent's own Python client of a schema registry, with its Avro serializer: a client of another language and of the people who made the
// contract. Fetched once from the package index of the machine.
import { type ExecFileOptions, execFile } from 'node:child_process'
import { cached } from './cache.ts'
import { onPath } from './java.ts'
import { MissingService } from './missing.ts'

const version = '2.12.1'

/** Runs a script with the client at hand: what it prints. Fails with what it complains of. */
export type RunPython = (script: string, args: readonly string[]) => Promise<string>

/** @throws MissingService without Python, or when the client cannot be fetched */
export async function openConfluentPython(): Promise<RunPython> {
  const python = onPath('python3')
  if (python === null) throw new MissingService('no python3 on this machine')
  const packages = await cached(`confluent-kafka-python-${version}`, async dir => {
    const wanted = `confluent-kafka[avro,schema-registry]==${version}`
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', dir, wanted]
    await run(python, pip, { timeout: 240_000 }).catch(error => {
      throw new MissingService(
        `confluent-kafka ${version} cannot be fetched: ${(error as Error).message.slice(0, 300)}`,
      )
    })
  })
  return (script, args) =>
    run(python, [script, ...args], { timeout: 60_000, env: { ...process.env, PYTHONPATH: packages } })
}

function run(command: string, args: readonly string[], options: ExecFileOptions): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(command, args, { ...options, encoding: 'utf8', killSignal: 'SIGKILL' }, (error, stdout, stderr) =>
      error ? reject(new Error(String(stderr).trim() || error.message)) : resolve(String(stdout)),
    )
  })
}
