// `npm run build`: src/ becomes dist/, ready to be published. TypeScript is compiled, what is not TypeScript is copied.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, readdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const source = join(root, 'src')
const target = join(root, 'dist')

rmSync(target, { recursive: true, force: true })
const compiled = spawnSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(root, 'tsconfig.build.json')], {
  cwd: root,
  stdio: 'inherit',
})
if (compiled.status !== 0) process.exit(compiled.status ?? 1)

// Data that modules read beside themselves: vendors, the reviews of the simulator, pages.
for (const entry of readdirSync(source, { recursive: true, withFileTypes: true }))
  if (entry.isFile() && !entry.name.endsWith('.ts')) {
    const from = join(entry.parentPath, entry.name)
    cpSync(from, join(target, from.slice(source.length)))
  }

const main = join(target, 'main.js')
if (!existsSync(main)) throw new Error('the build made no dist/main.js')
chmodSync(main, 0o755)
