// Our Dockerfile without a container engine: its stages are carried out in folders, and what it makes is run in namespaces of its own, with a
// read-only root, no capabilities, its user, a volume and a tmpfs, as process 1. What differs from an engine: the files of the base image are
// those of this machine, seen read-only; the packages of the build stage are the project's own; the network is this machine's.
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { all, type Instruction, ignores, last, pairs, parseDockerfile, type Stage } from './dockerfile.ts'

const project = resolve(import.meta.dirname, '../..')

/** Why there can be no stand-in here, or null. */
export const noStandIn: string | null =
  process.platform !== 'linux' || process.getuid?.() !== 0
    ? 'needs root on Linux'
    : spawnSync('unshare', ['--mount', '--pid', '--fork', 'setpriv', '--version']).status === 0
      ? null
      : 'needs namespaces: unshare, setpriv'

export interface StandIn extends Disposable {
  /** Where the files of the last stage are. */
  readonly rootDir: string
  readonly stage: Stage
  /** Runs the entrypoint with these arguments, as `docker run` does. */
  run(args: readonly string[], options?: RunOptions): Running
}

interface RunOptions {
  readonly env?: Readonly<Record<string, string>>
  /** The folder that is /data; must belong to the image's user. Default: a fresh one. */
  readonly volume?: string
  readonly uid?: number
}

export interface Running {
  readonly child: ChildProcess
  readonly volume: string
  output(): string
  readonly ended: Promise<number | null>
  /** Host's id of process 1. */
  pid(): number
  /** Exit code of the image's HEALTHCHECK, run inside. */
  health(): number | null
}

/** Carries out the Dockerfile. */
export function buildStandIn(): StandIn {
  const dir = mkdtempSync(join(tmpdir(), 'weir-image-'))
  const stages = parseDockerfile(readFileSync(join(project, 'Dockerfile'), 'utf8'))
  const rootOf = (name: string) => join(dir, name)
  for (const stage of stages) {
    let cwd = '/'
    mkdirSync(rootOf(stage.name))
    for (const instruction of stage.instructions) {
      if (instruction.name === 'WORKDIR') {
        cwd = resolve(cwd, instruction.text)
        mkdirSync(join(rootOf(stage.name), cwd), { recursive: true })
      } else if (instruction.name === 'COPY') copy(instruction, rootOf(stage.name), cwd, rootOf)
      else if (instruction.name === 'RUN') carryOut(instruction.text, rootOf(stage.name), cwd, stage === stages.at(-1))
    }
  }
  const stage = stages.at(-1)!
  const rootDir = rootOf(stage.name)
  let volumes = 0
  return {
    rootDir,
    stage,
    run(args, options = {}) {
      const volume = options.volume ?? join(dir, `volume-${++volumes}`)
      // A new volume takes over the owner and mode of the image's folder.
      if (!existsSync(volume)) execFileSync('cp', ['-a', join(rootDir, 'data'), volume])
      return start(stage, rootDir, volume, args, options)
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  }
}

function copy({ text, flags }: Instruction, rootDir: string, cwd: string, rootOf: (stage: string) => string): void {
  const parts = text.split(/\s+/)
  const target = join(rootDir, resolve(cwd, parts.at(-1)!))
  const sources = parts.slice(0, -1)
  const base = flags['from'] ? rootOf(flags['from']) : project
  const isIgnored = flags['from'] ? () => false : ignores(readFileSync(join(project, '.dockerignore'), 'utf8'))
  for (const source of sources) {
    const from = join(base, source)
    if (isIgnored(source)) throw new Error(`${source} is not in the build context`)
    const into = parts.at(-1)!.endsWith('/') || sources.length > 1
    const to = into && !statSync(from).isDirectory() ? join(target, basename(source)) : target
    mkdirSync(dirname(to), { recursive: true })
    cpSync(from, to, {
      recursive: true,
      verbatimSymlinks: true,
      filter: file => lstatSync(file).isDirectory() || !isIgnored(relative(base, file)),
    })
  }
}

function carryOut(command: string, rootDir: string, cwd: string, final: boolean): void {
  if (final) {
    inNamespaces(rootDir, null, ['sh', '-c', command], { uid: 0, cwd, env: {} }, true)
    return
  }
  if (command === 'npm ci --ignore-scripts') {
    symlinkSync(join(project, 'node_modules'), join(rootDir, cwd, 'node_modules'))
    return
  }
  const path = `${dirname(process.execPath)}:${process.env['PATH']}`
  const { status, stdout, stderr } = spawnSync('sh', ['-c', command], {
    cwd: join(rootDir, cwd),
    encoding: 'utf8',
    env: { ...process.env, PATH: path, npm_config_prefer_offline: 'true' },
  })
  if (status !== 0) throw new Error(`${command} failed:\n${stdout}${stderr}`)
}

interface Inside {
  readonly uid: number
  readonly cwd: string
  readonly env: Readonly<Record<string, string>>
}

/** $1 root, $2 Node, $3 volume or '', $4 `rw` or `ro`; the rest is what runs, as process 1. */
const enter = `set -e
root=$1 node=$2 volume=$3 mode=$4
shift 4
mount --make-rprivate /
mount --bind "$root" "$root"
for dir in usr lib lib64 bin sbin etc; do
  if [ -e "/$dir" ]; then mkdir -p "$root/$dir"; mount --bind -o ro "/$dir" "$root/$dir"; fi
done
mkdir -p "$root/proc" "$root/dev" "$root/tmp"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/tmp"
mount -t tmpfs tmpfs "$root/usr/local"
mkdir "$root/usr/local/bin"
touch "$root/usr/local/bin/node"
mount --bind -o ro "$node" "$root/usr/local/bin/node"
if [ -n "$volume" ]; then mount --bind "$volume" "$root/data"; fi
if [ "$mode" = ro ]; then mount -o remount,bind,ro "$root"; mount -o remount,ro "$root/usr/local"; fi
exec chroot "$root" "$@"`

function inside(argv: readonly string[], { uid, cwd, env }: Inside): string[] {
  const drop = ['--no-new-privs', '--bounding-set=-all', '--inh-caps=-all']
  return [
    ...['/usr/bin/setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', ...(uid === 0 ? [] : drop)],
    ...['/usr/bin/env', '-i', '-C', cwd, 'PATH=/usr/local/bin:/usr/bin:/bin'],
    ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
    ...argv,
  ]
}

const namespaces = ['--mount', '--pid', '--fork', '--kill-child=KILL']
const entered = (rootDir: string, volume: string | null, argv: readonly string[], how: Inside, writable: boolean) => [
  ...namespaces,
  ...['sh', '-c', enter, 'enter', rootDir, process.execPath, volume ?? '', writable ? 'rw' : 'ro'],
  ...inside(argv, how),
]

function inNamespaces(
  rootDir: string,
  volume: string | null,
  argv: readonly string[],
  how: Inside,
  writable: boolean,
): void {
  execFileSync('unshare', entered(rootDir, volume, argv, how, writable), { stdio: 'pipe' })
}

function start(stage: Stage, rootDir: string, volume: string, args: readonly string[], options: RunOptions): Running {
  const user = Number(last(stage, 'USER')!.text.split(':')[0])
  const cwd = last(stage, 'WORKDIR')!.text
  const how: Inside = { uid: options.uid ?? user, cwd, env: { ...pairs(all(stage, 'ENV')), ...options.env } }
  const argv = [...last(stage, 'ENTRYPOINT')!.exec!, ...args]
  const child = spawn('unshare', entered(rootDir, volume, argv, how, false), { stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  for (const stream of [child.stdout!, child.stderr!])
    stream.setEncoding('utf8').on('data', text => {
      output += text
    })
  const ended = new Promise<number | null>((done, fail) => {
    child.once('error', fail)
    child.once('close', code => done(code))
  })
  const pid = () => {
    const first = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim()
    if (!/^\d+$/.test(first)) throw new Error('no process 1')
    return Number(first)
  }
  return {
    child,
    volume,
    output: () => output,
    ended,
    pid,
    health: () => {
      const check = inside(last(stage, 'HEALTHCHECK')!.exec!, how)
      return spawnSync('nsenter', ['--target', String(pid()), '--mount', '--pid', '--root', ...check]).status
    },
  }
}
