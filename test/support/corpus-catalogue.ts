// What the corpus of definitions is checked with: the real http source and the real sinks; `file` and `pulse` of the fake catalogue,
// whose fields the cases need.
import type { Catalogue } from '../../src/config/catalogue.ts'
import { sinks } from '../../src/sinks/index.ts'
import { http } from '../../src/sources/http/http.ts'
import { fakeCatalogue } from './fake-catalogue.ts'

export const corpusCatalogue: Catalogue = {
  sources: { ...fakeCatalogue.sources, http } as unknown as Catalogue['sources'],
  sinks: sinks as unknown as Catalogue['sinks'],
}
