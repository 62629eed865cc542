// A schema of many fields against many versions, from their texts: all levels, both directions, every reason. Prints what it took as JSON.
// Usage: node check-schemas.ts FIELDS VERSIONS TIMES
import { checkHistory } from '../../src/governance/levels.ts'
import { parseNamedSchema } from '../../src/governance/named-schema.ts'

const [fields, versions, times] = process.argv.slice(2).map(Number) as [number, number, number]

/** Field types as reviews have them; each eighth is a record, an enum or a list. */
function typeOf(index: number): unknown {
  switch (index % 8) {
    case 0:
      return { type: 'enum', name: `Kind${index}`, symbols: ['NEW', 'USED', 'UNKNOWN'], default: 'UNKNOWN' }
    case 1:
      return {
        type: 'record',
        name: `Part${index}`,
        fields: [
          { name: 'id', type: 'string' },
          { name: 'count', type: 'int' },
        ],
      }
    case 2:
      return { type: 'array', items: 'string' }
    case 3:
      return { type: 'long', logicalType: 'timestamp-millis' }
    case 4:
      return 'double'
    default:
      return ['null', 'string']
  }
}

/** Each version has one field more that is optional, and each tenth has another type in its last field. */
function textOf(version: number): string {
  const all = Array.from({ length: fields }, (_, index) => ({
    name: `field_${index}`,
    type: typeOf(index),
    doc: `What field ${index} says, in a sentence of its own.`,
  }))
  const added = Array.from({ length: version }, (_, index) => ({
    name: `added_${index}`,
    type: ['null', 'int'],
    default: null,
  }))
  const last = { name: 'last', type: version % 10 === 0 && version > 0 ? 'string' : 'int' }
  return JSON.stringify({
    type: 'record',
    name: 'Wide',
    namespace: 'bench',
    fields: [...all.slice(0, fields - 1 - version), ...added, last],
  })
}

const texts = Array.from({ length: versions }, (_, index) => textOf(index + 1))
const candidate = textOf(0)

function check() {
  const startedMs = performance.now()
  const cpuBefore = process.cpuUsage()
  const history = texts.map((text, index) => ({ version: index + 1, schema: parseNamedSchema(text) }))
  const { levels } = checkHistory(parseNamedSchema(candidate), history)
  const failing = (level: 'BACKWARD_TRANSITIVE' | 'FORWARD_TRANSITIVE') => levels[level].map(({ version }) => version)
  const ms = performance.now() - startedMs
  const { user, system } = process.cpuUsage(cpuBefore)
  return {
    ms,
    cpuMs: (user + system) / 1000,
    backward: failing('BACKWARD_TRANSITIVE').length,
    forward: failing('FORWARD_TRANSITIVE'),
  }
}

const first = check()
const again = Array.from({ length: times }, check)
console.log(
  JSON.stringify({
    kilobytes: texts.join('').length / 1024,
    first,
    again: again.map(({ ms, cpuMs }) => ({ ms, cpuMs })),
  }),
)
