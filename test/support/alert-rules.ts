// The alert rules we ship, as tests read them.
import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parse } from 'yaml'

export interface AlertRule {
  readonly alert: string
  readonly expr: string
  readonly for?: string
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

const root = resolve(import.meta.dirname, '../..')
export const rulesFile = resolve(root, 'docker/prometheus/alerts.yml')

export const alertRules: readonly AlertRule[] = (
  parse(readFileSync(rulesFile, 'utf8')) as { groups: { rules: AlertRule[] }[] }
).groups.flatMap(group => group.rules)
