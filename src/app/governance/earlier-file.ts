// Which file a subject had at another commit: a change may leave the old file where it is and let the pipeline name a new one.
import { dirname, resolve } from 'node:path'
import { examine } from '../../config/lint.ts'
import { Problems } from '../../config/problem.ts'
import { parseYaml } from '../../config/yaml.ts'
import { isObject } from '../../core/json-text.ts'
import { earlierText } from './base.ts'
import { writtenSchemas } from './candidates.ts'
import type { Bench } from './checking.ts'
import type { Git } from './git.ts'

/** Absolute path, by the pipelines and the policy as they were then; null when none of them named one. */
export async function earlierFile(
  git: Git,
  commit: string,
  subject: string,
  { workspace, policy, catalogue }: Pick<Bench, 'workspace' | 'policy' | 'catalogue'>,
  env: Readonly<Record<string, string | undefined>>,
): Promise<string | null> {
  for (const { file } of workspace.pipelines) {
    const then = await earlierText(git, commit, file)
    if (then === null) continue
    const { fields } = examine({ file, text: then.text }, { catalogue, env, unsetVariables: 'warning' })
    const found = writtenSchemas({ file, fields }).find(each => each.subject === subject)
    if (found) return found.file
  }
  const then = policy && (await earlierText(git, commit, policy.file))
  const entries = then && parseYaml(then.text, new Problems(policy.file, then.text, false))?.['subjects']
  const entry = isObject(entries) && Object.hasOwn(entries, subject) ? entries[subject] : null
  return isObject(entry) && typeof entry['schema'] === 'string' ? resolve(dirname(policy!.file), entry['schema']) : null
}
