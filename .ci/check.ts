// `npm run check`: types, lint, generated files, tests, one after the other, all of them even when one fails.
// The last line counts tests and checks: "N passed, N failed[, N skipped]". The exit code is 1 when anything failed.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '..')
const scratch = mkdtempSync(join(tmpdir(), 'weir-check-'))
const report = join(scratch, 'tests.json')

const checks: readonly (readonly [name: string, command: string, ...args: string[]])[] = [
  ['types', 'tsc', '--noEmit', '-p', '.'],
  ['lint', 'biome', 'ci', '.'],
  ['generated files', 'node', 'src/main.ts', 'docs', '--check'],
]

let passed = 0
let failed = 0
let skipped = 0

function run(name: string, command: string, args: readonly string[]): boolean {
  console.log(`\n== ${name}: ${command} ${args.join(' ')}`)
  const started = performance.now()
  const { status, error } = spawnSync(join(root, 'node_modules/.bin', command), args, { cwd: root, stdio: 'inherit', env: process.env })
  if (error) console.log(error.message)
  console.log(`== ${name}: ${status === 0 ? 'ok' : `FAILED (${status})`} in ${((performance.now() - started) / 1000).toFixed(1)} s`)
  return status === 0
}

/** Where the time went: the files that took longest, in seconds. */
function showSlowest(path: string): void {
  const { testResults } = JSON.parse(readFileSync(path, 'utf8')) as { testResults: { name: string; startTime: number; endTime: number }[] }
  const files = testResults.map(({ name, startTime, endTime }) => ({ name: relative(root, name), seconds: (endTime - startTime) / 1000 }))
  console.log('\n== slowest test files')
  for (const { name, seconds } of files.sort((a, b) => b.seconds - a.seconds).slice(0, 40)) console.log(`${seconds.toFixed(1).padStart(7)} s  ${name}`)
}

for (const [name, command, ...args] of checks) run(name, command, args) ? passed++ : failed++

const testsOk = run('tests', 'vitest', ['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`])
if (existsSync(report)) {
  const counts = JSON.parse(readFileSync(report, 'utf8')) as { numPassedTests: number; numFailedTests: number; numPendingTests: number; numTodoTests: number; numFailedTestSuites: number }
  passed += counts.numPassedTests
  failed += counts.numFailedTests
  skipped += counts.numPendingTests + counts.numTodoTests
  showSlowest(report)
  // A file that cannot be loaded fails without a failed test in it.
  if (!testsOk && counts.numFailedTests === 0) failed++
} else failed++
rmSync(scratch, { recursive: true, force: true })

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`)
process.exit(failed > 0 ? 1 : 0)
