// A simulated vendor for a test, on a clock that stands still, and its pages.
import { onTestFinished } from 'vitest'
import { type SimulateOptions, type Simulation, simulateReviews } from '../../src/simulate/reviews.ts'
import { createFakeClock } from './fake-clock.ts'

/** Runs until the test is over. */
export async function startVendor(options: SimulateOptions = {}): Promise<Simulation> {
  const vendor = await simulateReviews({ clock: createFakeClock(), ...options })
  onTestFinished(() => vendor.close())
  return vendor
}

export interface VendorPage {
  readonly reviews: readonly {
    readonly id: string
    readonly asin: string
    readonly updated_at: string
    readonly body: string
  }[]
  readonly has_more: boolean
  readonly next_cursor: string | null
  readonly next: string | null
}

export const getPage = ({ url }: Simulation, path: string): Promise<VendorPage> => getAt(`${url}${path}`)
export const getAt = async (url: string): Promise<VendorPage> => (await fetch(url)).json() as Promise<VendorPage>
export const idsOf = (page: VendorPage) => page.reviews.map(review => review.id)

/** Ids of all pages, from `first` on. */
export async function walk(
  first: VendorPage,
  next: (page: VendorPage, number: number) => Promise<VendorPage> | null,
): Promise<string[]> {
  const ids: string[] = []
  let page: VendorPage | null = first
  for (let number = 2; page !== null && number < 200; number++) {
    ids.push(...idsOf(page))
    page = await next(page, number)
  }
  return ids
}
