// Why a real service cannot be had on this machine: the name of a skip, or of a failure where WEIR_REQUIRE asks for the service.

/** What WEIR_REQUIRE may name. */
export type Requirement = 'kafka' | 'registry' | 'kcat' | 'redpanda' | 'browser'

export class MissingService extends Error {
  override name = 'MissingService'
}

/** Whether a missing service fails the run instead of skipping its tests. */
export function isRequired(need: Requirement, env: NodeJS.ProcessEnv = process.env): boolean {
  return (env.WEIR_REQUIRE ?? '').split(',').some(each => each.trim() === need)
}
