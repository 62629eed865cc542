// Loaded with --import: plants the bug that WEIR_PLANT names (plants.ts) into the source as it is loaded. Fails when there is
// not exactly one place for it.
import { registerHooks } from 'node:module'
import { kafkaPlants, type Plant, planted, plants } from './plants.ts'

const name = process.env['WEIR_PLANT'] ?? ''
const plant = ({ ...plants, ...kafkaPlants } as Readonly<Record<string, Plant>>)[name]
if (!plant) throw new Error(`no plant is called ${JSON.stringify(name)}`)

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (!url.endsWith(`/src/${plant.file}`)) return loaded
    return { ...loaded, source: planted(plant, String(loaded.source)) }
  },
})
