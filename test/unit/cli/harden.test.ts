// Object.prototype can be frozen once per process, so each case runs in a process of its own.
import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

const harden = new URL('../../../src/cli/harden.ts', import.meta.url).href

function hardened(body: string, nodeArgs: readonly string[] = []): string {
  const program = `const { freezeObjectPrototype } = await import('${harden}'); freezeObjectPrototype();
    const tried = f => { try { return String(f()) } catch (e) { return e.constructor.name } }
    ${body}`
  const { stdout, stderr, status } = spawnSync(process.execPath, [...nodeArgs, '--input-type=module', '-e', program], {
    encoding: 'utf8',
  })
  expect(stderr).toBe('')
  expect(status).toBe(0)
  return stdout.trim()
}

test.each<[string, string]>([
  ['adding a property', 'Object.prototype.polluted = 1; return ({}).polluted'],
  ['replacing a method', "Object.prototype.toString = () => 'mine'; return String({})"],
  ['reading __proto__', "return ({})['__proto__']"],
  ['assigning __proto__', "({})['__proto__'] = { polluted: 1 }; return 'assigned'"],
  ['the road over constructor', '({}).constructor.prototype.polluted = 1; return ({}).polluted'],
  ['defining a property', "Object.defineProperty(Object.prototype, 'polluted', { value: 1 }); return ({}).polluted"],
  ['deleting a method', "delete Object.prototype.hasOwnProperty; return 'deleted'"],
])('%s fails', (_name, body) => expect(hardened(`console.log(tried(() => { ${body} }))`)).toBe('TypeError'))

test('objects and classes still shadow the methods, as libraries do', () => {
  const body = `
    const o = {}; o.toString = () => 'own'
    function Old () {}; Old.prototype.toString = function () { return 'old' }; Old.prototype.constructor = Old
    const named = Object.create(null); named.toString = 'plain'
    const parsed = JSON.parse('{"toString": 1, "__proto__": 2}')
    console.log(String(o), String(new Old()), named.toString, Object.keys(o).join(), Object.keys(parsed).join(), parsed.hasOwnProperty('toString'))`
  expect(hardened(body)).toBe('own old plain toString toString,__proto__ true')
})

test.each(['--disable-proto=throw', '--disable-proto=delete'])('works after %s', flag => {
  expect(hardened("console.log(tried(() => { ({})['__proto__'] }))", [flag])).toBe('TypeError')
})
