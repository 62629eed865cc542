// A Dockerfile as data: stages and their instructions. As much of the format as ours uses; anything else throws.

export interface Instruction {
  /** Upper case. */
  readonly name: string
  readonly flags: Readonly<Record<string, string>>
  /** What follows the flags, continued lines joined. */
  readonly text: string
  /** The exec form, where it is one. */
  readonly exec: readonly string[] | null
}

export interface Stage {
  readonly name: string
  readonly base: string
  readonly instructions: readonly Instruction[]
}

const known = new Set(
  'ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL RUN STOPSIGNAL USER VOLUME WORKDIR'.split(' '),
)

export function parseDockerfile(text: string): readonly Stage[] {
  const lines = text
    .split('\n')
    .filter(line => !/^\s*#/.test(line))
    .join('\n')
    .replace(/\\\n\s*/g, ' ')
    .split('\n')
    .filter(line => line.trim() !== '')
  const stages: { name: string; base: string; instructions: Instruction[] }[] = []
  for (const line of lines) {
    const instruction = parseInstruction(line)
    if (instruction.name === 'FROM') {
      const [, base, name] = /^(\S+)(?:\s+AS\s+(\S+))?$/i.exec(instruction.text) ?? []
      if (!base) throw new Error(`cannot be understood: ${line}`)
      stages.push({ name: name ?? String(stages.length), base, instructions: [] })
    } else if (stages.length === 0) throw new Error(`before the first FROM: ${line}`)
    else stages.at(-1)!.instructions.push(instruction)
  }
  return stages
}

function parseInstruction(line: string): Instruction {
  const [, name, rest] = /^\s*(\w+)\s+(.*)$/.exec(line) ?? []
  if (!name || !known.has(name.toUpperCase())) throw new Error(`no instruction that is expected here: ${line}`)
  const flags: Record<string, string> = {}
  let text = rest!
  for (let found = flagOf(text); found; found = flagOf(text)) {
    flags[found[1]!] = found[2]!
    text = text.slice(found[0].length)
  }
  const body = name.toUpperCase() === 'HEALTHCHECK' ? text.replace(/^CMD\s+/, '') : text
  return { name: name.toUpperCase(), flags, text: text.trim(), exec: execOf(body.trim()) }
}

const flagOf = (text: string) => /^--([\w-]+)=(\S+)\s+/.exec(text)

function execOf(text: string): readonly string[] | null {
  if (!text.startsWith('[')) return null
  const parts: unknown = JSON.parse(text)
  if (!Array.isArray(parts) || !parts.every(part => typeof part === 'string')) throw new Error(`no exec form: ${text}`)
  return parts
}

/** The instructions of that name. */
export const all = (stage: Stage, name: string): readonly Instruction[] =>
  stage.instructions.filter(instruction => instruction.name === name)

/** The last instruction of that name, which is the one that counts. */
export const last = (stage: Stage, name: string): Instruction | undefined => all(stage, name).at(-1)

/** ENV or LABEL as an object. */
export function pairs(instructions: readonly Instruction[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    instructions.flatMap(({ text }) =>
      [...text.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S+))/g)].map(([, key, quoted, plain]) => [key!, quoted ?? plain!]),
    ),
  )
}

/** Whether a path of the context is left out by a .dockerignore: the last pattern that matches it, or a folder above it, decides. */
export function ignores(dockerignore: string): (path: string) => boolean {
  const patterns = dockerignore
    .split('\n')
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))
    .map(line => {
      const keeps = line.startsWith('!')
      const glob = keeps ? line.slice(1) : line
      const source = glob
        .replace(/[.+^${}()|[\]\\]/g, '\\$&')
        .replace(/\*\*/g, '\0')
        .replace(/\*/g, '[^/]*')
      return { keeps, pattern: new RegExp(`^${source.replaceAll('\0', '.*')}(/.*)?$`) }
    })
  return path => patterns.reduce((out, { keeps, pattern }) => (pattern.test(path) ? !keeps : out), false)
}
