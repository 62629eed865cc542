// Every simulated vendor, by name, and how one is started. `startVendor` says what a running one can do.
import { WeirError } from '../../core/errors.ts'
import { amazonPage } from './amazon-page.ts'
import { apify } from './apify.ts'
import { brightdata } from './brightdata.ts'
import { creators } from './creators.ts'
import { dataforseo } from './dataforseo.ts'
import { keepa } from './keepa.ts'
import { outscraper } from './outscraper.ts'
import { oxylabs } from './oxylabs.ts'
import { paApi } from './pa-api.ts'
import { rainforest } from './rainforest.ts'
import { scrapehero } from './scrapehero.ts'
import type { VendorOptions } from './settings.ts'
import { startVendor, type VendorSimulation } from './start.ts'
import type { VendorSpec } from './vendor.ts'

const vendors: readonly VendorSpec[] = [
  brightdata,
  dataforseo,
  oxylabs,
  apify,
  rainforest,
  outscraper,
  scrapehero,
  paApi,
  creators,
  amazonPage,
  keepa,
]
export const vendorSpecs: Readonly<Record<string, VendorSpec>> = Object.fromEntries(
  vendors.map(spec => [spec.name, spec]),
)

/** Starts the vendor of that name. @throws listen.failed, usage.invalid */
export async function simulateVendor(name: string, options: VendorOptions = {}): Promise<VendorSimulation> {
  if (!Object.hasOwn(vendorSpecs, name))
    throw new WeirError('usage.invalid', `there is no simulator of ${JSON.stringify(name)}`, {
      at: name,
      hint: `Known: ${Object.keys(vendorSpecs).join(', ')}.`,
    })
  return startVendor(vendorSpecs[name]!, options)
}
