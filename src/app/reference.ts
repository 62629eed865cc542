// What the reference pages take from config and mapping.
import { cassetteSpec } from '../config/cassette/spec.ts'
import type { Catalogue } from '../config/catalogue.ts'
import {
  cassetteJsonSchema,
  governanceJsonSchema,
  pipelineJsonSchema,
  workspaceJsonSchema,
} from '../config/editor-schema.ts'
import { governanceSpec } from '../config/governance/spec.ts'
import { pipelineSpec } from '../config/pipeline-spec.ts'
import { vendorJsonSchema } from '../config/vendor/editor-schema.ts'
import { vendorSpec } from '../config/vendor/spec.ts'
import { workspaceSpec } from '../config/workspace-spec.ts'
import type { TSchema } from '../core/spec.ts'
import { reviewJsonSchema } from '../governance/report/json-schema.ts'
import { mappingReference } from '../mapping/reference.ts'

/** The JSON Schemas for editors, by name. */
export async function editorSchemas(catalogue: Catalogue): Promise<Readonly<Record<string, unknown>>> {
  return {
    pipeline: pipelineJsonSchema(catalogue),
    vendor: vendorJsonSchema(catalogue),
    weir: workspaceJsonSchema(),
    cassette: cassetteJsonSchema(),
    review: reviewJsonSchema(),
    governance: governanceJsonSchema(),
  }
}

/** What the kinds of definition files may hold. */
export const definitionSpecs: Readonly<
  Record<'pipeline' | 'workspace' | 'vendor' | 'cassette' | 'governance', TSchema>
> = {
  pipeline: pipelineSpec,
  workspace: workspaceSpec,
  vendor: vendorSpec,
  cassette: cassetteSpec,
  governance: governanceSpec,
}

/** The page of the mapping functions, as Markdown. */
export async function mappingPage(): Promise<string> {
  return mappingReference()
}
