// Stops a process that works on an embedded store, where it holds no lock of it: one stopped inside a transaction would block all others.
import type { ChildProcess } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as delay } from 'node:timers/promises'
import { eventually } from './eventually.ts'

const mostTries = 1_000
const busy = 5

/** SIGSTOP between two transactions on `file`. @throws when it was inside one each time */
export async function stopBetweenTransactions(child: ChildProcess, file: string): Promise<void> {
  if (!existsSync(file)) throw new Error(`${file} is not there`)
  const standsStill = () => / T /.test(readFileSync(`/proc/${child.pid}/stat`, 'utf8'))
  using db = new DatabaseSync(file)
  for (let tries = 0; tries < mostTries; tries++) {
    child.kill('SIGSTOP')
    await eventually('it stands still', standsStill)
    try {
      db.exec('BEGIN IMMEDIATE')
      db.exec('ROLLBACK')
      return
    } catch (error) {
      if ((error as { errcode?: number }).errcode !== busy) throw error
      child.kill('SIGCONT')
      // Until it is somewhere else in its work.
      await delay(2)
    }
  }
  throw new Error('the process was inside a transaction each time it was stopped')
}
