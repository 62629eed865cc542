// `npm run build [-- --out FOLDER]`: src/ becomes dist/, ready to be published. The program and the libraries it uses are bundled into few files, since
// Node takes most of a start to find and read many small ones. What is not TypeScript is copied. The licences of what is bundled stand beside it.
import { chmodSync, cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { rolldown } from 'rolldown'

const root = dirname(import.meta.dirname)
const source = join(root, 'src')
const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist' } } })
const target = resolve(root, values.out)

const mitText = `Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated documentation files (the "Software"),
to deal in the Software without restriction, including without limitation the rights to use, copy, modify, merge, publish, distribute, sublicense,
and/or sell copies of the Software, and to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS
IN THE SOFTWARE.
`

rmSync(target, { recursive: true, force: true })
const bundle = await rolldown({
  cwd: root,
  platform: 'node',
  input: { main: join(source, 'main.ts'), 'sources/html/worker': join(source, 'sources/html/worker.ts') },
  external: (id: string) => id.startsWith('node:'),
  // A file that a library reads beside itself, such as the WebAssembly of @platformatic/kafka, comes along.
  experimental: { resolveNewUrlToAsset: true },
  onLog(level, log, report) {
    // The registry's client looks for `process` in a way that works in browsers too; the text it evaluates is constant.
    if (log.code === 'EVAL' && log.id?.includes('/node_modules/mappersmith/')) return
    report(level === 'warn' ? 'error' : level, log)
  },
})
// Chunks stand as deep as core/shipped.ts, which knows where the files of the package are.
const { output } = await bundle.write({ dir: target, format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' })
await bundle.close()

// Data that modules read: vendors, the reviews of the simulator, pages.
for (const entry of readdirSync(source, { recursive: true, withFileTypes: true }))
  if (entry.isFile() && !entry.name.endsWith('.ts')) {
    const from = join(entry.parentPath, entry.name)
    cpSync(from, join(target, from.slice(source.length)))
  }

chmodSync(join(target, 'main.js'), 0o755)

const modules = output.flatMap(each => (each.type === 'chunk' ? each.moduleIds : []))
const licences = new Set([...new Set(modules.flatMap(packageOf))].sort().map(licenceOf))
writeFileSync(join(target, 'THIRD-PARTY.txt'), [...licences].join(`\n${'-'.repeat(80)}\n\n`))
console.log(`${target}: ${output.length} files with ${licences.size} packages in them`)

/** The folder of the package a module comes from; none for our own. */
function packageOf(module: string): string[] {
  const found = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(module)
  return found ? [found[1]!] : []
}

/** What the package says of its licence, in full. Some bring no text: the Apache licence stands beside others, that of MIT is here. */
function licenceOf(folder: string): string {
  const { name, version, license, author } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>
  const head = `${name} ${version} (${typeof license === 'string' ? license : 'see below'})\n`
  const files = readdirSync(folder).filter(each => /^(licen[cs]e|copying|notice)(\.|$)/i.test(each))
  if (files.length > 0) return [head, ...files.map(file => `${readFileSync(join(folder, file), 'utf8').trim()}\n`)].join('\n')
  if (license === 'MIT') return `${head}\nCopyright (c) ${typeof author === 'string' ? author : 'its authors'}\n\n${mitText}`
  if (license === 'Apache-2.0') return head
  throw new Error(`${name} brings no text of its licence (${license})`)
}
