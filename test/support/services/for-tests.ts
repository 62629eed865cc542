// What test files call to get real services: starters of their own ones, a browser, kcat; in the vitest project `services` also shared ones.
// A service that is not there makes a named skip, or a failure where WEIR_REQUIRE asks for it.
import { describe, inject, test } from 'vitest'
import { findChromium, startBrowser } from '../browser.ts'
import { startApicurio } from './apicurio.ts'
import { type JudgeAvro, openAvroJudge } from './avro-judge.ts'
import { type DecodeAvro, openAvroTools } from './avro-tools.ts'
import { openConfluentPython, type RunPython } from './confluent-python.ts'
import type { DeskAnswer } from './desk.ts'
import { apicurioHome, findJava, kafkaJars } from './java.ts'
import { startKafka } from './kafka.ts'
import { findKcat, type Kcat } from './kcat.ts'
import { isRequired, MissingService, type Requirement } from './missing.ts'
import type { SharedName, SharedServices } from './shared.ts'

/** What a suite may need. `own-…`: starters, for suites that break what they use. */
export interface Needs extends SharedServices {
  readonly 'own-kafka': typeof startKafka
  readonly 'own-apicurio': typeof startApicurio
  readonly 'own-browser': typeof startBrowser
  readonly kcat: Kcat
  readonly 'avro-tools': DecodeAvro
  readonly 'confluent-python': RunPython
  readonly 'avro-judge': JudgeAvro
}

export type Need = keyof Needs

/** The word of WEIR_REQUIRE that makes a missing service a failure. */
const requirementOf: Readonly<Record<Need, Requirement>> = {
  kafka: 'kafka',
  'apache-kafka': 'kafka',
  'own-kafka': 'kafka',
  redpanda: 'redpanda',
  registry: 'registry',
  apicurio: 'registry',
  'own-apicurio': 'registry',
  'own-browser': 'browser',
  kcat: 'kcat',
  'avro-tools': 'kafka',
  'confluent-python': 'registry',
  'avro-judge': 'registry',
}

/**
 * A suite over real services, to be awaited at the top of a test file: `await describeWith(['kafka', 'kcat'], 'topics', (kafka, kcat) => { … })`.
 * Where one is missing, the suite is a single test that says why, skipped or failed.
 */
export async function describeWith<const N extends readonly Need[]>(
  needs: N,
  name: string,
  body: (...services: { [K in keyof N]: Needs[N[K]] }) => void,
): Promise<void> {
  const services: unknown[] = []
  for (const need of needs)
    try {
      services.push(await take(need))
    } catch (error) {
      const why = `${need}: ${(error as Error).message}`
      if (error instanceof MissingService && !isRequired(requirementOf[need]))
        return void describe(name, () => test.skip(`skipped, ${why}`, () => {}))
      return void describe(name, () => test(`needs ${need}`, () => Promise.reject(new Error(why))))
    }
  describe(name, () => body(...(services as { [K in keyof N]: Needs[N[K]] })))
}

/** The broker that all tests share. @throws MissingService */
export const kafkaForTests = (): Promise<SharedServices['kafka']> => take('kafka')

/** The registry that all tests share. @throws MissingService */
export const registryForTests = (): Promise<SharedServices['registry']> => take('registry')

async function take<N extends Need>(need: N): Promise<Needs[N]> {
  const own: { readonly [K in Exclude<Need, SharedName>]: () => Promise<Needs[K]> } = {
    'own-kafka': async () => {
      findJava(17)
      await kafkaJars()
      return startKafka
    },
    'own-apicurio': async () => {
      findJava(21)
      await apicurioHome()
      return startApicurio
    },
    'own-browser': async () => {
      findChromium()
      return startBrowser
    },
    kcat: async () => findKcat(),
    'avro-tools': openAvroTools,
    'confluent-python': openConfluentPython,
    'avro-judge': openAvroJudge,
  }
  if (need in own) return (await own[need as keyof typeof own]()) as Needs[N]
  return (await fromDesk(need as SharedName)) as Needs[N]
}

async function fromDesk<N extends SharedName>(name: N): Promise<SharedServices[N]> {
  const desk = inject('weirServiceDesk')
  if (desk === undefined)
    throw new Error('this test file is not of the vitest project `services`: see its `include` in vitest.config.ts')
  const response = await fetch(`${desk}/${name}`)
  const answer = (await response.json()) as DeskAnswer<SharedServices[N]>
  if ('service' in answer) return answer.service
  throw 'missing' in answer ? new MissingService(answer.missing) : new Error(answer.failed)
}
