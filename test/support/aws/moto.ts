// moto's server as a process of its own, where it is installed (`pip install "moto[server]"`): another implementation of the services, to hold
// the stand-in against.
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { eventually } from '../eventually.ts'
import { freePort } from '../services/ports.ts'

/** The program, or undefined where it is not installed. */
export function motoProgram(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(delimiter)
    .map(folder => join(folder, 'moto_server'))
    .find(file => {
      try {
        accessSync(file, constants.X_OK)
        return true
      } catch {
        return false
      }
    })
}

export interface Moto extends AsyncDisposable {
  readonly url: string
}

export async function startMoto(program: string): Promise<Moto> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const child: ChildProcess = spawn(program, ['-H', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
  const ended = new Promise(resolve => child.once('close', resolve))
  await eventually(
    'moto answers',
    () =>
      fetch(`${url}/moto-api/`).then(
        ({ ok }) => ok,
        () => false,
      ),
    60_000,
  )
  return {
    url,
    async [Symbol.asyncDispose]() {
      child.kill()
      await ended
    },
  }
}
