// `npm run build [-- --out FOLDER]`: src/ becomes dist/, ready to be published. The program and the libraries it uses are bundled into few files, since
// Node takes most of a start to find and read many small ones. What is not TypeScript is copied. The licences of what is bundled stand beside it.
import { chmodSync, cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { rolldown } from 'rolldown'

const root = dirname(import.meta.dirname)
const source = join(root, 'src')
const { values } = parseArgs({ options: { out: { type: 'string', default: 'dist' } } })
const target = resolve(root, values.out)

rmSync(target, { recursive: true, force: true })
const bundle = await rolldown({
  cwd: root,
  platform: 'node',
  input: { main: join(source, 'main.ts'), 'sources/html/worker': join(source, 'sources/html/worker.ts') },
  external: (id: string) => id.startsWith('node:'),
  // A file that a library reads beside itself, such as the WebAssembly of @platformatic/kafka, comes along.
  experimental: { resolveNewUrlToAsset: true },
  onLog(level, log, report) {
    // The registry's client asks for `process` in a way that works in browsers too; it is not run here.
    if (log.code === 'EVAL' && log.id?.includes('/node_modules/mappersmith/')) return
    report(level === 'warn' ? 'error' : level, log)
  },
})
// Chunks stand as deep as the modules of src/ that read files beside themselves (core/shipped.ts).
const { output } = await bundle.write({ dir: target, format: 'esm', entryFileNames: '[name].js', chunkFileNames: 'chunks/[name]-[hash].js' })
await bundle.close()

// Data that modules read: vendors, the reviews of the simulator, pages.
for (const entry of readdirSync(source, { recursive: true, withFileTypes: true }))
  if (entry.isFile() && !entry.name.endsWith('.ts')) {
    const from = join(entry.parentPath, entry.name)
    cpSync(from, join(target, from.slice(source.length)))
  }

const main = join(target, 'main.js')
if (!existsSync(main)) throw new Error('the build made no main.js')
chmodSync(main, 0o755)

const packages = [...new Set(output.flatMap(each => (each.type === 'chunk' ? each.moduleIds : [])).flatMap(packageOf))].sort()
writeFileSync(join(target, 'THIRD-PARTY.txt'), packages.map(licenceOf).join(`\n${'-'.repeat(80)}\n\n`))
console.log(`${target}: ${output.length} files with ${packages.length} packages in them`)

/** The folder of the package a module comes from; none for our own. */
function packageOf(module: string): string[] {
  const found = /^(.*\/node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(module)
  return found ? [found[1]!] : []
}

function licenceOf(folder: string): string {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>
  const file = readdirSync(folder).find(each => /^(licen[cs]e|copying)(\.|$)/i.test(each))
  const text = file === undefined ? '' : `\n${readFileSync(join(folder, file), 'utf8').trim()}\n`
  return `${name} ${version} (${typeof license === 'string' ? license : 'see below'})\n${text}`
}
