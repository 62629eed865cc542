// What the corpus of definitions is checked with: the connectors there are, and from the fake catalogue `pulse`, which cannot give the
// same items again, and whatever the cases need that is not there.
import type { Catalogue } from '../../src/config/catalogue.ts'
import { sinks } from '../../src/sinks/index.ts'
import { sources } from '../../src/sources/index.ts'
import { fakeCatalogue } from './fake-catalogue.ts'

export const corpusCatalogue: Catalogue = {
  sources: { ...fakeCatalogue.sources, ...sources } as unknown as Catalogue['sources'],
  sinks: { ...fakeCatalogue.sinks, ...sinks } as unknown as Catalogue['sinks'],
}
