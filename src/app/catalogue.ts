// The connectors there are, for the loader, the command line and the reference pages. Loaded on first use; a vendor file is read when it is
// named, so that a start pays for none but its own.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Catalogue } from '../config/catalogue.ts'
import { DefinitionError } from '../config/problem.ts'
import { readVendorFile } from '../config/source-slot.ts'
import type { Vendor } from '../config/vendor/vendor.ts'
import { codeFolder } from '../core/shipped.ts'
import type { SourceConnector } from '../sources/source.ts'

/** Every source and sink of this weir, vendors among them. */
export async function loadCatalogue(): Promise<Catalogue> {
  const [{ sources }, { sinks }] = await Promise.all([import('../sources/index.ts'), import('../sinks/index.ts')])
  return { sources: withVendors(sources, join(codeFolder, 'sources/vendors')), sinks }
}

/** The connectors in code, and the vendor files of a folder under their names. */
export function withVendors(
  code: Readonly<Record<string, SourceConnector>>,
  folder: string,
): Record<string, SourceConnector | Vendor> {
  const all: Record<string, SourceConnector | Vendor> = { ...code }
  const bases = {
    find: (name: string) => (Object.hasOwn(code, name) ? code[name] : undefined),
    names: Object.keys(code),
  }
  for (const entry of readdirSync(folder).sort()) {
    const name = /^(.+)\.yaml$/.exec(entry)?.[1]
    if (name === undefined) continue
    let known: Vendor | undefined
    Object.defineProperty(all, name, {
      enumerable: true,
      get: () => (known ??= readShipped(join(folder, entry), bases)),
    })
  }
  return all
}

/** @throws DefinitionError: a file that weir brings is broken */
function readShipped(file: string, bases: Parameters<typeof readVendorFile>[1]): Vendor {
  const { vendor, problems } = readVendorFile(file, bases, false)
  if (!vendor) throw new DefinitionError(problems.list())
  return vendor
}
