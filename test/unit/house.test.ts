// The rules of the house that a program can check: import direction, file length, names, no hidden clock or chance.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { describe, expect, test } from 'vitest'

const root = resolve(import.meta.dirname, '../..')
const src = join(root, 'src')

/** Room to the rooms (or single files) it may import. `types:` allows `import type` only. DESIGN: docs/architecture.md, "Rooms". */
const mayImport: Record<string, readonly string[]> = {
  core: [],
  schema: ['core'],
  mapping: ['schema', 'core'],
  governance: ['schema', 'core'],
  fetch: ['core'],
  aws: ['fetch', 'core'],
  sources: ['aws', 'fetch', 'mapping', 'core', 'config/broker-spec', 'types:pipeline/ports'],
  sinks: ['aws', 'mapping', 'schema', 'core', 'types:pipeline/ports'],
  pipeline: ['mapping', 'schema', 'core'],
  adapters: ['governance', 'schema', 'core', 'pipeline/ports', 'types:fetch/breaker'],
  'registry-server': ['adapters/registry-embedded', 'schema', 'core'],
  observe: ['core'],
  simulate: ['core'],
  config: [
    'mapping',
    'governance',
    'schema',
    'core',
    'fetch/settings',
    'fetch/addresses',
    'types:sources/source',
    'types:sinks/sink',
  ],
  app: [
    'config',
    'sources',
    'sinks',
    'fetch',
    'mapping',
    'pipeline',
    'governance',
    'schema',
    'adapters',
    'registry-server',
    'observe',
    'simulate',
    'core',
  ],
  cli: ['app', 'config', 'governance', 'core', 'types:pipeline'],
  'main.ts': ['cli'],
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.ts'))
  .map(file => file.replaceAll('\\', '/'))

const textOf = (file: string) => readFileSync(join(src, file), 'utf8')
const roomOf = (file: string) => file.split('/')[0]!

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

function importsOf(file: string): Import[] {
  const found: Import[] = []
  const pattern =
    /(?:^|\n)\s*(import|export)\s+(type\s+)?([^'"\n;]*?(?:\{[^}]*\}[^'"\n;]*?)?)from\s+'(\.[^']+)'|\bimport\(\s*'(\.[^']+)'\s*\)/g
  for (const [, , type, names, path, dynamic] of textOf(file).matchAll(pattern)) {
    const target = relative(src, resolve(src, dirname(file), (path ?? dynamic)!)).replaceAll('\\', '/')
    const inner = /\{([^}]*)\}/.exec(names ?? '')?.[1]
    const allTypes =
      inner !== undefined && inner.split(',').every(name => name.trim() === '' || name.trim().startsWith('type '))
    found.push({
      from: file,
      to: target,
      typeOnly: type !== undefined || (path !== undefined && allTypes && !/^\s*\w+\s*,/.test(names ?? '')),
    })
  }
  return found
}

function allowed({ from, to, typeOnly }: Import): boolean {
  const room = roomOf(from)
  if (roomOf(to) === room) return true
  const rules = mayImport[room] ?? []
  return rules.some(rule => {
    const needsType = rule.startsWith('types:')
    const place = needsType ? rule.slice('types:'.length) : rule
    return (!needsType || typeOnly) && (roomOf(to) === place || to === `${place}.ts` || to.startsWith(`${place}/`))
  })
}

describe('the house', () => {
  test('every room is known', () => {
    expect([...new Set(files.map(roomOf))].filter(room => !(room in mayImport))).toEqual([])
  })

  test('imports go one way, as docs/architecture.md says', () => {
    const wrong = files.flatMap(importsOf).filter(each => !allowed(each))
    expect(wrong.map(({ from, to, typeOnly }) => `${from} -> ${to}${typeOnly ? ' (type)' : ''}`)).toEqual([])
  })

  test('imports do not run in circles within a room', () => {
    const graph = new Map(
      files.map(file => [
        file,
        importsOf(file)
          .filter(each => !each.typeOnly)
          .map(each => each.to),
      ]),
    )
    const circles: string[] = []
    const done = new Set<string>()
    const visit = (file: string, path: readonly string[]) => {
      if (path.includes(file)) circles.push([...path.slice(path.indexOf(file)), file].join(' -> '))
      if (done.has(file) || path.includes(file)) return
      for (const next of graph.get(file) ?? []) visit(next, [...path, file])
      done.add(file)
    }
    for (const file of files) visit(file, [])
    expect(circles).toEqual([])
  })

  test('no file is longer than 400 lines', () => {
    expect(files.filter(file => textOf(file).split('\n').length > 401)).toEqual([])
  })

  test('files are named for their job, in kebab-case', () => {
    expect(
      files.filter(
        file => !/^[a-z0-9/-]+\.ts$/.test(file) || /(^|\/)(utils?|helpers?|common|types|misc)(\.ts$|\/)/.test(file),
      ),
    ).toEqual([])
  })

  test('only the edges read the clock, chance and the environment', () => {
    const edges = /^(main\.ts|cli\/|core\/(clock|failpoint)\.ts|adapters\/|app\/lifecycle\.ts)/
    const hidden = files.filter(
      file =>
        !edges.test(file) &&
        /\bDate\.now\(|\bMath\.random\(|\bprocess\.env\b/.test(textOf(file).replace(/\/\/.*$|\/\*[\s\S]*?\*\//gm, '')),
    )
    expect(hidden).toEqual([])
  })

  test('what a file exports, another file reads', () => {
    const readers = ['src', 'test', 'bench'].flatMap(place =>
      readdirSync(join(root, place), { recursive: true, encoding: 'utf8' })
        .filter(file => file.endsWith('.ts'))
        .map(file => join(root, place, file)),
    )
    const words = new Map(readers.map(file => [file, new Set(readFileSync(file, 'utf8').match(/\w+/g))]))
    const unread = files.flatMap(file =>
      [...textOf(file).matchAll(/^export (?:async )?(?:function\*?|const|let|class) (\w+)/gm)]
        .map(([, name]) => name!)
        .filter(name => ![...words].some(([other, has]) => other !== join(src, file) && has.has(name)))
        .map(name => `${file}: ${name}`),
    )
    expect(unread).toEqual([])
  })

  test('src imports the dependencies of package.json, all of them and no others', () => {
    const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { dependencies: object }
    const imported = files.flatMap(file =>
      [...textOf(file).matchAll(/(?:from|import\()\s*'((?:@[\w-]+\/)?[\w-]+)(?:\/[^']*)?'/g)].map(([, name]) => name!),
    )
    expect([...new Set(imported)].sort()).toEqual(Object.keys(dependencies).sort())
  })

  // In the package many modules are one file, which stands elsewhere.
  test('no module asks for its own place, but the one that tells the others', () => {
    expect(files.filter(file => file !== 'core/shipped.ts' && /\bimport\.meta\b/.test(textOf(file)))).toEqual([])
  })

  test('nothing evaluates text as code', () => {
    expect(files.filter(file => /\beval\(|new Function\(|from 'node:vm'/.test(textOf(file)))).toEqual([])
  })

  test('nothing in the project points outside it', () => {
    const places = [
      'src',
      'docs',
      'pipelines',
      'schemas',
      'README.md',
      'package.json',
      'package-lock.json',
      'CHANGELOG.md',
      'docker-compose.yml',
      'docker',
    ]
    const listed = places.flatMap(place => {
      try {
        return readdirSync(join(root, place), { recursive: true, withFileTypes: true })
          .filter(entry => entry.isFile())
          .map(entry => join(entry.parentPath, entry.name))
      } catch {
        return [join(root, place)]
      }
    })
    const wrong = listed.filter(
      file =>
        /\.(ts|md|json|ya?ml|avsc)$/.test(file) &&
        /\.\.\/shared\b|\/work\/|registry\.npmjs|"resolved"/.test(readFileSync(file, 'utf8')),
    )
    expect(wrong.map(file => relative(root, file))).toEqual([])
  })
})
