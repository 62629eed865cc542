// `npm run services -- kafka [apicurio]`: real services for trying things by hand, until Ctrl-C. Options for Kafka: --nodes 3,
// --listeners SASL_SSL,SSL, --acl, --property name=value (as often as needed).
import { parseArgs } from 'node:util'
import { startApicurio } from './apicurio.ts'
import { startKafka } from './kafka.ts'
import { users } from './kafka-logins.ts'
import type { Listener } from './kafka-settings.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    nodes: { type: 'string', default: '1' },
    listeners: { type: 'string', default: '' },
    acl: { type: 'boolean', default: false },
    property: { type: 'string', multiple: true, default: [] },
  },
})
const wanted = positionals.length > 0 ? positionals : ['kafka']
const unknown = wanted.find(each => each !== 'kafka' && each !== 'apicurio')
if (unknown !== undefined || !['1', '3'].includes(values.nodes)) {
  console.error(
    'Usage: npm run services -- [kafka] [apicurio] [--nodes 1|3] [--listeners SASL_SSL,…] [--acl] [--property name=value]',
  )
  process.exit(2)
}

await using services = new AsyncDisposableStack()
const asked = new Promise<void>(resolve => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve())
})
if (wanted.includes('kafka')) {
  const started = performance.now()
  const kafka = services.use(
    await startKafka({
      nodes: values.nodes === '3' ? 3 : 1,
      listeners: values.listeners.split(',').filter(name => name !== '') as Listener[],
      acl: values.acl,
      properties: Object.fromEntries(values.property.map(each => each.split(/=(.*)/s).slice(0, 2) as [string, string])),
    }),
  )
  for (const [listener, address] of Object.entries(kafka.addresses)) console.log(`kafka ${listener} ${address}`)
  for (const { pid, dir } of kafka.nodes) console.log(`kafka process ${pid} in ${dir}`)
  if (kafka.certificates) console.log(`kafka authority ${kafka.certificates.files.ca}`)
  if (values.listeners.includes('SASL')) console.log(`kafka users ${JSON.stringify(users)}`)
  console.error(`Kafka is up after ${((performance.now() - started) / 1000).toFixed(1)} s`)
}
if (wanted.includes('apicurio')) {
  const started = performance.now()
  const { url } = services.use(await startApicurio())
  console.log(`registry ${url}`)
  console.error(`Apicurio is up after ${((performance.now() - started) / 1000).toFixed(1)} s`)
}
console.error('Ctrl-C ends it.')
const alive = setInterval(() => {}, 60_000)
await asked
clearInterval(alive)
