// Loaded with --import: plants the bug that WEIR_PLANT names (plants.ts) into the source as it is loaded. Fails when there is nothing to change.
import { registerHooks } from 'node:module'
import { plants } from './plants.ts'

const name = process.env['WEIR_PLANT'] ?? ''
const plant = plants[name]
if (!plant) throw new Error(`no plant is called ${JSON.stringify(name)}`)

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context)
    if (!url.endsWith(`/src/${plant.file}`)) return loaded
    const text = String(loaded.source)
    if (!plant.find.test(text)) throw new Error(`nothing to plant in ${plant.file}: ${plant.find}`)
    return { ...loaded, source: text.replace(plant.find, plant.replace) }
  },
})
