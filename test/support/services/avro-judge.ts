// What Apache Avro's Java implementation says of schemas, all of them in one process.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { SchemaPair } from '../random-schemas.ts'
import { avroToolsJar } from './avro-tools.ts'
import { findJava } from './java.ts'

/** Of one schema: its Parsing Canonical Form and the CRC-64 of that, or why it is refused. */
export interface JavaSchema {
  readonly form?: string
  readonly crc64?: string
  readonly refused?: string
}

export interface JavaAnswer {
  readonly reader: JavaSchema
  readonly writer: JavaSchema
  /** Absent when one of the schemas is refused. THROWN: Java gave up. */
  readonly verdict?: 'COMPATIBLE' | 'INCOMPATIBLE' | 'THROWN'
  /** `RULE location message`, or the message of what was thrown. */
  readonly reasons?: readonly string[]
}

export type JudgeAvro = (pairs: readonly SchemaPair[]) => Promise<readonly JavaAnswer[]>

/** @throws MissingService without Java 17, or when Avro can not be fetched */
export async function openAvroJudge(): Promise<JudgeAvro> {
  const java = findJava(17)
  const jar = await avroToolsJar()
  return async pairs => {
    const program = join(import.meta.dirname, 'AvroJudge.java')
    const child = spawn(java, ['-cp', jar, program], { stdio: ['pipe', 'pipe', 'pipe'] })
    child.stdin.on('error', () => {}) // Its end is told below.
    child.stdin.end(
      pairs.map(({ reader, writer, references }) => `${JSON.stringify([reader, writer, ...references])}\n`).join(''),
    )
    const [out, problems, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')])
    const lines = out.split('\n').filter(Boolean)
    if (code !== 0 || lines.length !== pairs.length)
      throw new Error(`AvroJudge.java ended with ${code} after ${lines.length} answers: ${problems.slice(-2000)}`)
    return lines.map(line => JSON.parse(line) as JavaAnswer)
  }
}
