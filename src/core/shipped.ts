// Where the files of the package stand. Modules are found at the same depth in a checkout (src/core/) and in the built package (dist/chunks/),
// where many of them are one file: so nothing else goes by its own place.
import { join } from 'node:path'

/** `src` or `dist`: beside the code stands data of its own, such as the vendors. */
export const codeFolder = join(import.meta.dirname, '..')
/** Holds package.json, schemas/ and pipelines/. */
export const packageFolder = join(codeFolder, '..')
/** True in a checkout, where TypeScript runs as it is. */
export const isCheckout = import.meta.filename.endsWith('.ts')
