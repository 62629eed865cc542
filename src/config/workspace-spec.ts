// What weir.yaml may hold: what all pipelines of a workspace share.
import { fields, path, Type } from '../core/spec.ts'

export const workspaceSpec = fields(
  {
    version: Type.Literal(1, { description: 'Version of this file format.', default: 1 }),
    broker: Type.Literal('embedded', {
      description: 'Where topics live. WEIR_BROKER overrides it.',
      default: 'embedded',
    }),
    registry: Type.Literal('embedded', {
      description: 'Where schemas are registered. WEIR_REGISTRY overrides it.',
      default: 'embedded',
    }),
    data: path({ description: 'Folder of the embedded store. --data overrides it.', default: '.weir' }),
  },
  'What all pipelines of a weir workspace share.',
)
