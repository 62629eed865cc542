// Apicurio Registry as a plain Java process on 127.0.0.1: a Confluent-compatible registry that keeps everything in memory.
import { scratchDir } from './guard.ts'
import { apicurioHome, findJava } from './java.ts'
import { freePort } from './ports.ts'
import { type ServiceProcess, startProcess } from './service-process.ts'

export interface Apicurio extends AsyncDisposable {
  /** The Confluent-compatible API, without a slash at its end. */
  readonly url: string
  /** A restart empties it: ids begin anew. */
  readonly process: ServiceProcess
}

/** Starts an empty one and waits until it answers. `properties` are system properties. @throws MissingService without Java 21, or when it can not be fetched */
export async function startApicurio(properties: Readonly<Record<string, string | number>> = {}): Promise<Apicurio> {
  const java = findJava(21)
  const home = await apicurioHome()
  const port = await freePort()
  const url = `http://127.0.0.1:${port}/apis/ccompat/v7`
  const settings = {
    'quarkus.http.host': '127.0.0.1',
    'quarkus.http.port': port,
    'quarkus.management.host': '127.0.0.1',
    'quarkus.management.port': await freePort(),
    ...properties,
  }
  const process = await startProcess({
    name: 'Apicurio Registry',
    command: java,
    args: [
      '-Xmx700m',
      '-XX:+UseSerialGC',
      '-XX:TieredStopAtLevel=1',
      ...Object.entries(settings).map(([name, value]) => `-D${name}=${value}`),
      '-jar',
      `${home}/quarkus-run.jar`,
    ],
    dir: scratchDir('apicurio'),
    ready: () => answers(`${url}/subjects`),
  })
  return { url, process, [Symbol.asyncDispose]: () => process[Symbol.asyncDispose]() }
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2_000) })).ok
  } catch {
    return false
  }
}
