// `weir lint --registry`: the schemas of pipelines against what the registry holds of their subjects, at their lines in the schema files.

import type { PipelineDefinition, WorkspaceDefinition } from '../../config/definition.ts'
import { loadPolicy, usualRules } from '../../config/governance/load.ts'
import { type LocatedProblem, Problems } from '../../config/problem.ts'
import { type Clock, dayOf, type Random } from '../../core/clock.ts'
import { jsonPlaces } from '../../governance/json-places.ts'
import { policyFor } from '../../governance/policy.ts'
import { blockedBy, blockedText, fixFor, judge, sentenceFor } from './registering.ts'
import { lookAtPlace } from './registry-place.ts'

/** @throws registry.*; DefinitionError (config.*) for a policy that cannot be used */
export async function lintAgainstRegistry(
  definitions: readonly PipelineDefinition[],
  workspace: WorkspaceDefinition,
  { clock, random, strict }: { readonly clock: Clock; readonly random: Random; readonly strict: boolean },
): Promise<readonly LocatedProblem[]> {
  await using place = await lookAtPlace(workspace, clock, random)
  const today = dayOf(clock.now())
  const seen = new Set<string>()
  const all: LocatedProblem[] = []
  for (const { topic, baseDir } of definitions) {
    const { subject, schemaFile, schemaText } = topic
    if (seen.has(`${subject}\n${schemaFile}`)) continue
    seen.add(`${subject}\n${schemaFile}`)
    const policy = loadPolicy(baseDir, today)
    const rules = policy ? policyFor(policy, subject) : { ...usualRules, subject, entry: null, schemaFile: null }
    const { found, level, left } = await judge(place.registry, rules, policy?.waivers ?? [], schemaText, today)
    const problems = new Problems(schemaFile, schemaText, strict)
    const places = jsonPlaces(schemaText)
    for (const each of left) {
      // What an old version cannot read has its place in that version.
      const pointer = each.direction === 'backward' ? each.reason.pointer : ''
      problems.add({
        code: 'registry.incompatible',
        message: `${subject} breaks ${level}: ${sentenceFor(each)}.`,
        pointer,
        span: places.get(`${pointer}/name`) ?? places.get(pointer),
        hint: fixFor(each),
      })
    }
    const blocked =
      found === null && left.length === 0
        ? await blockedBy(place.registry, rules, level, policy?.waivers ?? [], schemaText, today)
        : []
    for (const each of blocked) {
      const pointer = each.pointer ?? ''
      problems.add({
        code: 'schema.policy',
        message: `${subject} breaks its policy: ${blockedText(each)}.`,
        pointer,
        span: places.get(`${pointer}/name`) ?? places.get(pointer),
        hint: each.hint ?? '',
      })
    }
    if (found === null && policy !== null && !rules.autoRegister)
      problems.add({
        code: 'schema.not_registered',
        severity: 'warning',
        message: `${subject} does not have this schema yet, and a run must not register it.`,
        pointer: '',
        span: { start: 0, end: 1 },
        hint: 'weir schema plan --out plan.json, then weir schema apply plan.json.',
      })
    all.push(...problems.list())
  }
  return all
}
