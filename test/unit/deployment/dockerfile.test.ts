// The rules that our Dockerfile keeps, read from its text. test/e2e/image.test.ts runs what it says, without a container engine.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'
import { all, ignores, last, pairs, parseDockerfile } from '../../support/dockerfile.ts'

const root = resolve(import.meta.dirname, '../../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const project = JSON.parse(read('package.json'))
const text = read('Dockerfile')
const stages = parseDockerfile(text)
const runtime = stages.at(-1)!

describe('sec-36: the image', () => {
  test('is built on slim Node, pinned by version and digest, the version being the one of package.json', () => {
    for (const { base } of stages)
      expect(base).toMatch(
        new RegExp(`^node:${project.devDependencies.node.replaceAll('.', '\\.')}-\\w+-slim@sha256:[0-9a-f]{64}$`),
      )
    expect(new Set(stages.map(stage => stage.base)).size).toBe(1)
  })

  test('runs as a numeric user that is not root, set after the last thing that needs root', () => {
    expect(all(runtime, 'USER').map(one => one.text)).toEqual(['10001:10001'])
    const names = runtime.instructions.map(one => one.name)
    expect(names.lastIndexOf('USER')).toBeGreaterThan(Math.max(names.lastIndexOf('RUN'), names.lastIndexOf('COPY')))
  })

  test('starts Node directly, so that signals reach it, with the heap flags main.ts would start itself again for', () => {
    const flags = /const heapFlags = \[([^\]]+)\]/.exec(read('src/main.ts'))![1]!.match(/--[\w=-]+/g)!
    expect(flags.length).toBeGreaterThan(0)
    expect(last(runtime, 'ENTRYPOINT')!.exec).toEqual(['node', ...flags, '/app/dist/main.js'])
    expect(last(runtime, 'STOPSIGNAL')!.text).toBe('SIGTERM')
    expect(last(runtime, 'CMD')!.exec).not.toBeNull()
  })

  test('asks /livez with Node itself, without a shell, and gives up before Docker does', () => {
    const { exec, flags } = last(runtime, 'HEALTHCHECK')!
    expect(exec![0]).toBe('node')
    expect(exec!.join(' ')).toContain('/livez')
    const ownMs = Number(/AbortSignal\.timeout\((\d+)\)/.exec(exec!.join(' '))![1])
    expect(ownMs).toBeLessThan(Number.parseInt(flags['timeout']!, 10) * 1000)
    expect(Object.keys(flags).sort()).toEqual(['interval', 'retries', 'start-period', 'timeout'])
  })

  test('keeps data in a volume and listens where it says', () => {
    expect(last(runtime, 'VOLUME')!.text).toBe('/data')
    const env = pairs(all(runtime, 'ENV'))
    expect(env).toEqual({ NODE_ENV: 'production', WEIR_HOST: '0.0.0.0', WEIR_PORT: last(runtime, 'EXPOSE')!.text })
  })

  test('says what it is, in the version of package.json', () => {
    const labels = pairs(all(runtime, 'LABEL'))
    expect(labels).toEqual({
      'org.opencontainers.image.title': project.name,
      'org.opencontainers.image.description': project.description,
      'org.opencontainers.image.version': project.version,
      'org.opencontainers.image.licenses': project.license,
    })
  })

  test('installs from the lock file to build, runs no install script, and installs nothing in what is kept', () => {
    const installs = stages.flatMap(stage =>
      all(stage, 'RUN')
        .filter(one => /\bnpm (ci|i|install|add|exec)\b|(^|&& )npx /.test(one.text))
        .map(one => [stage.name, one.text]),
    )
    expect(installs).toEqual([['build', 'npm ci --ignore-scripts']])
    expect(all(runtime, 'COPY').filter(one => one.text.includes('node_modules'))).toEqual([])
  })

  test('copies what is listed here and nothing else; nothing comes from an address or holds a secret', () => {
    expect(all(runtime, 'COPY').map(one => [one.flags['from'] ?? 'context', one.text])).toEqual([
      ['context', 'package.json LICENSE ./'],
      ['build', '/app/dist dist'],
      ['context', 'schemas schemas'],
      ['context', 'pipelines pipelines'],
    ])
    expect(text).not.toMatch(/^\s*ADD\b|https?:\/\/(?!127\.0\.0\.1)|curl|wget|apt-get|(?:TOKEN|PASSWORD|SECRET)\b/im)
  })
})

describe('the build context', () => {
  const isIgnored = ignores(read('.dockerignore'))

  test('has every file that is copied from it', () => {
    const wanted = stages
      .flatMap(stage => all(stage, 'COPY'))
      .filter(one => !one.flags['from'])
      .flatMap(one => one.text.split(/\s+/).slice(0, -1))
    expect(wanted.filter(path => !existsSync(join(root, path)) || isIgnored(path))).toEqual([])
  })

  test('has nothing of tests, benchmarks, docs, git, local data or secrets, and no file that appears at the root later', () => {
    const kept = readdirSync(root).filter(name => !isIgnored(name))
    expect(kept.sort()).toEqual([
      '.npmrc',
      'LICENSE',
      'package-lock.json',
      'package.json',
      'pipelines',
      'schemas',
      'src',
    ])
    for (const path of ['.env', '.weir/weir.db', '.git/config', 'test/e2e/cli.test.ts', '.ci/run', 'node_modules/x/y'])
      expect(isIgnored(path), path).toBe(true)
    expect(isIgnored('.ci/build.ts')).toBe(false)
    expect(isIgnored('src/cli/run.ts')).toBe(false)
  })
})
