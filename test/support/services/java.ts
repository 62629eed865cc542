// Java and Maven of this machine, and what they bring: the jars of Kafka, the distribution of Apicurio Registry.
import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync, readdirSync, readFileSync, realpathSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { cached } from './cache.ts'
import { MissingService } from './missing.ts'

export const kafkaVersion = '4.3.1'
const apicurioVersion = '3.3.3'
export const mavenDependencyPlugin = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1'

/** The path of a program on PATH, or null. */
export function onPath(program: string, path = process.env.PATH ?? ''): string | null {
  const files = path.split(delimiter).map(folder => join(folder, program))
  return files.find(isProgram) ?? null
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/**
 * The `java` of the oldest-known choice that is new enough: JAVA_HOME, the one on PATH, then what is installed beside them.
 * @throws MissingService when there is none
 */
export function findJava(atLeast: number): string {
  const given = process.env.JAVA_HOME
  const onThePath = onPath('java')
  const default_ = onThePath === null ? null : dirname(dirname(realpathSync(onThePath)))
  const folders = [default_ && dirname(default_), '/usr/lib/jvm', '/opt/java'].filter(each => each !== null)
  const homes = [
    given,
    default_,
    ...folders.flatMap(folder => (existsSync(folder) ? readdirSync(folder).map(each => join(folder, each)) : [])),
  ].filter(each => typeof each === 'string')
  const found = homes.find(home => majorOf(home) >= atLeast && existsSync(join(home, 'bin/java')))
  if (found === undefined) throw new MissingService(`no Java ${atLeast} or later on this machine`)
  return join(found, 'bin/java')
}

/** From the `release` file that every JDK and JRE carries; 0 when there is none. */
function majorOf(home: string): number {
  try {
    return Number(/^JAVA_VERSION="(\d+)/m.exec(readFileSync(join(home, 'release'), 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

const pom = `<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>
<groupId>weir.test</groupId><artifactId>kafka</artifactId><version>1</version><dependencies>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${kafkaVersion}</version></dependency>
<dependency><groupId>org.apache.kafka</groupId><artifactId>kafka-tools</artifactId><version>${kafkaVersion}</version></dependency>
<dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId><version>2.25.1</version></dependency>
</dependencies></project>
`

/** A folder with the jars of Apache Kafka. @throws MissingService */
export function kafkaJars(): Promise<string> {
  return cached(`kafka-${kafkaVersion}`, async dir => {
    await writeFile(join(dir, 'pom.xml'), pom)
    await maven(`Apache Kafka ${kafkaVersion}`, dir, [
      `${mavenDependencyPlugin}:copy-dependencies`,
      '-DincludeScope=runtime',
      `-DoutputDirectory=${dir}`,
    ])
  })
}

/** A folder with `quarkus-run.jar` of Apicurio Registry in it. @throws MissingService */
export function apicurioHome(): Promise<string> {
  return cached(`apicurio-${apicurioVersion}`, async dir => {
    const artifact = `io.apicurio:apicurio-registry-app:${apicurioVersion}:tar.gz:all`
    await maven(`Apicurio Registry ${apicurioVersion}`, dir, [
      `${mavenDependencyPlugin}:copy`,
      `-Dartifact=${artifact}`,
      `-DoutputDirectory=${dir}`,
    ])
    const archive = readdirSync(dir).find(name => name.endsWith('.tar.gz'))!
    await promisify(execFile)('tar', ['-xzf', join(dir, archive), '-C', dir])
    await rm(join(dir, archive))
  })
}

export async function maven(what: string, cwd: string, goals: readonly string[]): Promise<void> {
  const program = onPath('mvn')
  if (program === null) throw new MissingService(`${what} is not in the cache, and Maven is not there to fetch it`)
  try {
    await promisify(execFile)(program, ['-q', '-B', '-C', ...goals], { cwd, timeout: 600_000 })
  } catch (error) {
    const { stdout, message } = error as { stdout?: string; message: string }
    const why = `${stdout ?? ''}${message}`.split('\n').find(line => line.startsWith('[ERROR]')) ?? message
    throw new MissingService(`Maven could not fetch ${what}: ${why.slice(0, 300)}`)
  }
}
