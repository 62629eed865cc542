// What weir.yaml may hold: what all pipelines of a workspace share.
import { fields, path, type Static, Type } from '../core/spec.ts'
import { brokerSpec, embeddedRegistrySpec, registrySpec } from './broker-spec.ts'
import { defaultDataDir } from './workspace-file.ts'

export const workspaceSpec = fields(
  {
    version: Type.Literal(1, { description: 'Version of this file format.', default: 1 }),
    broker: Type.Union([Type.Literal('embedded'), brokerSpec], {
      description:
        'Where topics live. WEIR_BROKER overrides it: `embedded`, or addresses, for which the credentials and tls written here stay in force.',
      default: 'embedded',
    }),
    registry: Type.Union([Type.Literal('embedded'), registrySpec, embeddedRegistrySpec], {
      description:
        'Where schemas are registered. WEIR_REGISTRY overrides it: `embedded`, or a url, for which the auth and tls written here stay in force.',
      default: 'embedded',
    }),
    data: path({
      description: 'Folder of the embedded store, and of small local state beside a cluster. --data overrides it.',
      default: defaultDataDir,
    }),
  },
  'What all pipelines of a weir workspace share.',
)

export type WorkspaceFields = Static<typeof workspaceSpec>
