import { spawn } from 'node:child_process'
import { expect, test } from 'vitest'
import { processIdentity, provenDead } from '../../../src/adapters/embedded-store/process-identity.ts'

test('this process is not dead, and what cannot be judged is not dead either', () => {
  expect(provenDead(processIdentity())).toBe(false)
  const [boot, , pid, started] = processIdentity().split('/')
  expect(provenDead(`${boot}/another namespace/${pid}/${started}`)).toBe(
    process.platform !== 'linux' && boot !== 'host',
  )
})

test.skipIf(process.platform !== 'linux')(
  'a killed process, a reused pid and another boot are proven dead (Linux)',
  async () => {
    const [, namespace, pid, started] = processIdentity().split('/')
    const boot = processIdentity().split('/')[0]
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
    const alive = `${boot}/${namespace}/${child.pid}/`
    await new Promise(resolve => child.once('spawn', resolve))
    expect(provenDead(`${boot}/${namespace}/${pid}/${Number(started) + 1}`)).toBe(true)
    expect(provenDead(`an earlier boot/${namespace}/${pid}/${started}`)).toBe(true)
    child.kill('SIGKILL')
    await new Promise(resolve => child.once('exit', resolve))
    expect(provenDead(alive)).toBe(true)
  },
)
