// The part of a run before its broker: pages asked for through the whole fetch guard, taken apart, mapped and encoded, one after the other;
// nothing is stored. Tells how many records came of them. Usage: extract-pages.ts PIPELINE
import { loadDefinition } from '../../src/app/definitions.ts'
import { encodeOf, mappingOf, openSource } from '../../src/app/parts.ts'
import { systemClock, systemRandom } from '../../src/core/clock.ts'
import { mapItems } from '../../src/pipeline/map.ts'

const definition = await loadDefinition(process.argv[2]!, {})
const mapping = mappingOf(definition)
const encode = encodeOf(definition, 1)
const signal = new AbortController().signal
const deps = { clock: systemClock, random: systemRandom, emit: () => {}, dataDir: '' }
const store = { load: async () => null, save: async () => {} }
let records = 0
{
  await using source = openSource(definition, deps, { calls: { store } })
  for (const split of await source.splits(signal))
    for await (const { items } of source.read(split, null, signal)) {
      const now = systemClock.now()
      const { mapped, failures } = mapItems(mapping, items, split.vars, now)
      const { failures: unencoded } = encode(mapped, split.vars, split.id, now)
      if (failures.length + unencoded.length > 0) throw (failures[0] ?? unencoded[0])!.error
      records += mapped.length
    }
}
console.log(records)
