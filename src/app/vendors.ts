// What there is to know of a vendor before one chooses it: shown by `weir connectors show` and on the reference page.
import { problemsOf } from '../config/source-slot.ts'
import { sampleOfVendor } from '../config/vendor/lint.ts'
import { isVendor, type Vendor } from '../config/vendor/vendor.ts'
import type { Claim } from '../core/guarantee.ts'

export { isVendor, type Vendor }

export interface ShownMode {
  /** null: the vendor has only one. */
  readonly name: string | null
  /** The connector that does the work. */
  readonly connector: string
  readonly claim: Claim | null
  /** What `fetch` is where a pipeline says nothing, as far as it differs from the usual. */
  readonly fetch: Readonly<Record<string, unknown>>
  readonly map: Readonly<Record<string, string>> | null
}

export function modesOf(vendor: Vendor): readonly ShownMode[] {
  return [...vendor.modes].map(([name, { base, map }]) => {
    const used = sampleOfVendor(vendor, name, problemsOf(vendor, false))
    return {
      name: name === '' ? null : name,
      connector: base.name,
      claim: used?.config === undefined ? null : base.claim(used.config as never),
      fetch: used?.fetch ?? {},
      map: used?.map ?? map,
    }
  })
}
