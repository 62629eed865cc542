// Before the tests of CI: what real services need is installed where it is missing (as root, by Debian's packages), and fetched.
// What cannot be had is said here and does not end the run: the tests that need it fail by name, because WEIR_REQUIRE asks for it.
import { spawnSync } from 'node:child_process'
import { avroToolsJar } from '../test/support/services/avro-tools.ts'
import { apicurioHome, findJava, kafkaJars, onPath } from '../test/support/services/java.ts'

interface Tool {
  readonly name: string
  readonly isThere: () => boolean
  /** Debian packages, the first that the machine's release has. */
  readonly packages: readonly string[]
}

const hasJava = (atLeast: number) => () => {
  try {
    return findJava(atLeast) !== ''
  } catch {
    return false
  }
}
const hasProgram = (program: string) => () => onPath(program) !== null
const java = ['openjdk-25-jre-headless', 'openjdk-21-jre-headless']

const tools: readonly Tool[] = [
  { name: 'Java 21 or later (Apicurio Registry)', isThere: hasJava(21), packages: java },
  { name: 'Java 17 or later (Apache Kafka)', isThere: hasJava(17), packages: [...java, 'openjdk-17-jre-headless'] },
  { name: 'Maven', isThere: hasProgram('mvn'), packages: ['maven'] },
  { name: 'kcat', isThere: hasProgram('kcat'), packages: ['kcat', 'kafkacat'] },
  { name: 'Chromium', isThere: hasProgram('chromium'), packages: ['chromium'] },
  { name: 'openssl', isThere: hasProgram('openssl'), packages: ['openssl'] },
]

const missing = () => tools.filter(tool => !tool.isThere())

if (missing().length > 0) {
  if (process.getuid?.() === 0 && onPath('apt-get') !== null) install()
  for (const { name, packages } of missing())
    console.log(`services: ${name} is missing and could not be installed; install one of ${packages.join(', ')}`)
}
for (const fetchIt of [kafkaJars, apicurioHome, avroToolsJar])
  try {
    console.log(`services: ${await fetchIt()}`)
  } catch (error) {
    console.log(`services: ${(error as Error).message}`)
  }

function install(): void {
  apt('update', '-q')
  for (const { name, isThere, packages } of tools) {
    // What came for the tool before may have brought this one.
    if (isThere()) continue
    const known = packages.find(each => hasCandidate(each))
    console.log(`services: ${name} is missing, ${known ? `installing ${known}` : 'and no package of this release brings it'}`)
    if (known !== undefined) apt('install', '-q', '-y', '--no-install-recommends', known)
  }
}

function apt(...args: string[]): void {
  spawnSync('apt-get', ['-o', 'DPkg::Lock::Timeout=120', ...args], {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    timeout: 600_000,
  })
}

function hasCandidate(name: string): boolean {
  const { stdout } = spawnSync('apt-cache', ['policy', name], { encoding: 'utf8' })
  return /Candidate: (?!\(none\))\S/.test(stdout ?? '')
}
