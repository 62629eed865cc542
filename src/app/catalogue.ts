// The connectors there are, for the loader, the command line and the reference pages. Loaded on first use.
import type { Catalogue } from '../config/catalogue.ts'

/** Every source and sink of this weir. */
export async function loadCatalogue(): Promise<Catalogue> {
  const [{ sources }, { sinks }] = await Promise.all([import('../sources/index.ts'), import('../sinks/index.ts')])
  return { sources, sinks }
}
