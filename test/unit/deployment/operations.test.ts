// The page an operator opens at night fits the alerts, and the commands it names exist.
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { expect, test } from 'vitest'
import { codes } from '../../../src/core/errors.ts'
import { alertRules } from '../../support/alert-rules.ts'

const root = resolve(import.meta.dirname, '../../..')
const page = readFileSync(join(root, 'docs/operations.md'), 'utf8')
const reference = readFileSync(join(root, 'docs/reference/cli.md'), 'utf8')
const headings = [...page.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading!)

test('every alert has a severity, a summary, a description and its section in the operations page', () => {
  expect(new Set(alertRules.map(rule => rule.alert)).size).toBe(alertRules.length)
  for (const { alert, labels, annotations } of alertRules) {
    expect(alert).toMatch(/^(Weir|Redpanda)[A-Za-z]+$/)
    expect(['critical', 'warning'], alert).toContain(labels['severity'])
    expect(Object.keys(annotations), alert).toEqual(['summary', 'description', 'runbook'])
    expect(annotations['description'], alert).toMatch(/\.$/)
    expect(annotations['runbook'], alert).toBe(`docs/operations.md#${alert.toLowerCase()}`)
    expect(headings).toContain(alert)
  }
  const alerts = new Set(alertRules.map(rule => rule.alert))
  expect(headings.filter(heading => !heading.includes(' ') && !alerts.has(heading))).toEqual([])
})

test('every command of the page is one that weir has, with its flags', () => {
  const commands = [...page.matchAll(/`weir ((?:[a-z]+ ?)+)([^`]*)`/g)]
  expect(commands.length).toBeGreaterThan(15)
  for (const [whole, words, rest] of commands) {
    const heading = `## weir ${words!.trim()}`
    const at = reference.search(new RegExp(`^#{2,3} weir ${words!.trim()}$`, 'm'))
    expect(at, `${whole} (${heading})`).toBeGreaterThanOrEqual(0)
    const own = reference.slice(at).split(/\n#{2,3} weir /)[0]! + reference.split('## Environment')[0]!
    for (const flag of rest!.match(/--[a-z-]+/g) ?? []) expect(own, whole).toContain(flag)
  }
})

test('every error code of the page is in the table, and every link leads somewhere', () => {
  const named = [...page.matchAll(/`([a-z_]+\.[a-z_]+)`/g)].map(([, code]) => code!)
  const files = /\.(ya?ml|json|md|ts|js|sh)$/
  expect(named.filter(code => !files.test(code) && !(code in codes))).toEqual([])
  for (const [, anchor] of page.matchAll(/\]\(#([a-z]+)\)/g))
    expect(headings.map(heading => heading.toLowerCase())).toContain(anchor)
  for (const [, file] of page.matchAll(/`((?:docker|docs)\/[\w./-]+)`/g))
    expect(existsSync(join(root, file!)), file).toBe(true)
})
