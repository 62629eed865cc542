// Apache Avro's own implementation, in Java: to read what weir encoded with somebody else's eyes.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { cached } from './cache.ts'
import { findJava, maven, mavenDependencyPlugin } from './java.ts'

const version = '1.12.1'

/** Decodes values of one schema that stand one after the other, without headers. A union's value comes as Avro's JSON has it: `{"string": …}`. */
export type DecodeAvro = (schema: string, values: Uint8Array) => Promise<readonly Readonly<Record<string, unknown>>[]>

/** The jar of avro-tools, which holds all of Avro. @throws MissingService */
export async function avroToolsJar(): Promise<string> {
  return join(await avroTools(), `avro-tools-${version}.jar`)
}

/** A folder with the jar of avro-tools. @throws MissingService */
function avroTools(): Promise<string> {
  return cached(`avro-tools-${version}`, dir =>
    maven(`Apache Avro ${version}`, dir, [
      `${mavenDependencyPlugin}:copy`,
      `-Dartifact=org.apache.avro:avro-tools:${version}`,
      `-DoutputDirectory=${dir}`,
    ]),
  )
}

/** @throws MissingService without Java 17, or when it can not be fetched */
export async function openAvroTools(): Promise<DecodeAvro> {
  const java = findJava(17)
  const jar = await avroToolsJar()
  return async (schema, values) => {
    const dir = await mkdtemp(join(tmpdir(), 'weir-avro-'))
    try {
      await writeFile(join(dir, 'schema.avsc'), schema)
      await writeFile(join(dir, 'values'), values)
      const line = ['-jar', jar, 'fragtojson', '--no-pretty', '--schema-file', 'schema.avsc', 'values']
      const { stdout } = await promisify(execFile)(java, line, { cwd: dir, timeout: 60_000, maxBuffer: 1 << 28 })
      return stdout
        .split('\n')
        .filter(Boolean)
        .map(each => JSON.parse(each))
    } finally {
      await rm(dir, { recursive: true })
    }
  }
}
