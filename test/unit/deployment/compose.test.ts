// docker-compose.yml against the schema of the Compose Specification and against our own rules. No engine runs it here.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { parse, parseDocument } from 'yaml'
import { loadDefinition } from '../../../src/app/definitions.ts'
import { commands } from '../../../src/cli/index.ts'
import { parseDuration } from '../../../src/core/units.ts'

interface Service {
  readonly image: string
  readonly build?: object
  readonly user?: string
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly cap_add?: readonly string[]
  readonly privileged?: boolean
  readonly security_opt?: readonly string[]
  readonly pids_limit?: number
  readonly mem_limit?: string
  readonly restart?: string
  readonly init?: boolean
  readonly tmpfs?: readonly string[]
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly network_mode?: string
  readonly stop_grace_period?: string
  readonly healthcheck?: { readonly test?: readonly string[]; readonly disable?: boolean }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
}

const root = resolve(import.meta.dirname, '../../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const text = read('docker-compose.yml')
const compose = parse(text, { merge: true }) as {
  readonly name: string
  readonly services: Readonly<Record<string, Service>>
  readonly volumes: Readonly<Record<string, object>>
}
const services = Object.entries(compose.services)
const version = JSON.parse(read('package.json')).version as string
const ours = services.filter(([, service]) => service.image.startsWith('weir:'))
const pipelineFiles = readdirSync(join(root, 'pipelines')).filter(file => /\.ya?ml$/.test(file))
const runs = ours.filter(([, service]) => service.command?.[0] === 'run')
const scrapeConfigs = (
  parse(read('docker/prometheus/prometheus.yml')) as {
    scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[]
  }
).scrape_configs

describe('the Compose Specification', () => {
  const ajv = new Ajv2020({ strict: false, allErrors: true })
  for (const format of ['duration', 'ports', 'expose', 'subnet_ip_address']) ajv.addFormat(format, true)
  const validate = ajv.compile(JSON.parse(read('test/data/compose-spec.json')))

  test('takes the file', () => {
    expect(parseDocument(text, { merge: true, uniqueKeys: true }).errors).toEqual([])
    validate(compose)
    expect(validate.errors ?? []).toEqual([])
  })

  test('is a schema that sees mistakes', () => {
    for (const wrong of [{ cap_drop: 'ALL' }, { helthcheck: {} }, { depends_on: { a: { condition: 'up' } } }])
      expect(validate({ services: { a: { image: 'a', ...wrong } } })).toBe(false)
  })
})

describe('sec-36: every service', () => {
  test.for(services)('%s: has an image that is pinned', ([, { image }]) => {
    if (image.startsWith('weir:')) expect(image).toBe(`weir:${version}`)
    else expect(image).toMatch(/^[\w./-]+:v?\d+\.\d+\.\d+@sha256:[0-9a-f]{64}$/)
  })

  test.for(services)('%s: drops all rights, can gain none, and is no root', ([, service]) => {
    expect(service.cap_drop).toEqual(['ALL'])
    expect(service.cap_add).toBeUndefined()
    expect(service.privileged).toBeUndefined()
    expect(service.security_opt).toContain('no-new-privileges:true')
    expect(service.user).toMatch(/^[1-9]\d*:\d+$/)
    expect(service.network_mode).toBeUndefined()
    expect(service.volumes?.filter(volume => volume.includes('docker.sock')) ?? []).toEqual([])
  })

  /** The start of Redpanda writes its settings into a folder of its image. */
  const writable = ['redpanda']
  test.for(services)('%s: has a root that cannot be written to, and room where it must write', ([name, service]) => {
    expect(service.read_only).toBe(!writable.includes(name))
    if (service.read_only) expect(service.tmpfs?.some(mount => mount.startsWith('/tmp:size='))).toBe(true)
  })

  test.for(services)('%s: has limits, a restart policy, a health check, and time to stop', ([name, service]) => {
    expect(service.mem_limit).toMatch(/^\d+m$/)
    expect(service.pids_limit).toBeGreaterThan(0)
    expect(service.restart).toBe(name === 'bootstrap' ? 'on-failure:5' : 'unless-stopped')
    expect(parseDuration(service.stop_grace_period!)).toBeGreaterThanOrEqual(20_000)
    const ownCheck = service.healthcheck?.test !== undefined
    const ends = service.healthcheck?.disable === true
    // The image of weir brings its own, for what serves /livez.
    expect(ownCheck || (ends && name === 'bootstrap') || (!ends && service.command?.[0] === 'run')).toBe(true)
  })

  test.for(services)('%s: publishes ports to this machine only', ([, { ports = [] }]) => {
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/)
  })

  test('waits only for services that are there and can become what is waited for', () => {
    for (const [name, { depends_on = {} }] of services)
      for (const [other, { condition }] of Object.entries(depends_on)) {
        const service = compose.services[other]
        expect(service, `${name} waits for ${other}`).toBeDefined()
        if (condition === 'service_healthy') expect(service!.healthcheck?.disable).toBeUndefined()
        else expect([condition, service!.restart]).toEqual(['service_completed_successfully', 'on-failure:5'])
      }
  })
})

describe('the file', () => {
  test('holds no secret', () => {
    for (const [name, { environment = {} }] of services)
      for (const variable of Object.keys(environment))
        if (!/^GF_SECURITY_DISABLE_INITIAL_ADMIN_CREATION$/.test(variable))
          expect(variable, name).not.toMatch(/PASS|SECRET|TOKEN|KEY|CREDENTIAL|ADMIN/i)
    expect(text).not.toMatch(/:\/\/[^/\s"']*:[^/\s"']*@/)
  })

  test('names only files that are there, and only volumes that are declared', () => {
    const mounts = services.flatMap(([, { volumes = [] }]) => volumes.map(volume => volume.split(':')))
    const files = mounts.filter(([source]) => source!.startsWith('.'))
    expect(files.length).toBeGreaterThan(0)
    for (const [source, , mode] of files) {
      expect(existsSync(join(root, source!)), source).toBe(true)
      expect(mode).toBe('ro')
    }
    const named = mounts.filter(([source]) => !source!.startsWith('.')).map(([source]) => source!)
    expect([...new Set(named)].sort()).toEqual(Object.keys(compose.volumes).sort())
    expect(new Set(named).size, 'no two services share a volume').toBe(named.length)
  })
})

describe('pipelines', () => {
  test('each has its service, named as the pipeline, and its volume', async () => {
    expect(runs.map(([, { command }]) => command![1]).sort()).toEqual(pipelineFiles.map(file => `pipelines/${file}`))
    for (const [name, { command, volumes }] of runs) {
      expect((await loadDefinition(join(root, command![1]!), {})).pipeline).toBe(name)
      expect(volumes).toEqual([`${name}:/data`])
    }
  })

  test('I11: each is given longer to stop than its drain may take', async () => {
    for (const [, { command, stop_grace_period }] of runs) {
      const { shutdownTimeoutMs } = await loadDefinition(join(root, command![1]!), {})
      expect(parseDuration(stop_grace_period!)).toBeGreaterThan(shutdownTimeoutMs + 5_000)
    }
  })

  test('each lints with the environment of its service', async () => {
    for (const [, { command, environment }] of runs)
      await expect(loadDefinition(join(root, command![1]!), environment!)).resolves.toBeDefined()
  })

  test('each goes to the broker and registry of this file, after they are ready and prepared', () => {
    for (const [, { environment, depends_on }] of runs) {
      expect(environment).toMatchObject({ WEIR_BROKER: 'redpanda:9092', WEIR_REGISTRY: 'http://redpanda:8081' })
      expect(depends_on).toMatchObject({
        redpanda: { condition: 'service_healthy' },
        bootstrap: { condition: 'service_completed_successfully' },
      })
    }
    expect(compose.services['bootstrap']!.command).toEqual([
      'prepare',
      ...pipelineFiles.map(file => `pipelines/${file}`),
    ])
    const flags = compose.services['redpanda']!.command!.join(' ')
    expect(flags).toContain('--advertise-kafka-addr=internal://redpanda:9092')
    expect(flags).toContain('--schema-registry-addr=0.0.0.0:8081')
    expect(flags).not.toContain('dev-container')
  })

  test('use commands that weir has', () => {
    for (const [name, { command }] of ours) expect(Object.keys(commands), name).toContain(command![0])
    expect(compose.services['vendor']!.command!.slice(0, 2)).toEqual(['simulate', 'reviews'])
  })

  test('each is scraped by Prometheus, and so is the broker', () => {
    const targets = (job: string) =>
      scrapeConfigs.find(one => one.job_name === job)!.static_configs.flatMap(one => one.targets)
    expect(targets('weir').sort()).toEqual(runs.map(([name]) => `${name}:8080`).sort())
    expect(targets('redpanda')).toEqual(['redpanda:9644'])
  })
})
