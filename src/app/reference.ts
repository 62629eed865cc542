// What the reference pages take from config and mapping.
import type { Catalogue } from '../config/catalogue.ts'
import { pipelineJsonSchema, workspaceJsonSchema } from '../config/editor-schema.ts'
import { mappingReference } from '../mapping/reference.ts'

/** The JSON Schemas for editors, by name. */
export async function editorSchemas(catalogue: Catalogue): Promise<Readonly<Record<string, unknown>>> {
  return { pipeline: pipelineJsonSchema(catalogue), weir: workspaceJsonSchema() }
}

/** The page of the mapping functions, as Markdown. */
export async function mappingPage(): Promise<string> {
  return mappingReference()
}
