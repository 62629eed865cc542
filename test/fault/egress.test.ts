// sec-04, sec-05, sec-07: every way of writing an address that may not be called, as a literal, behind a name, and behind a redirect.
// A listener stands where most of them lead; it must see no connection.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openGuard } from '../support/open-guard.ts'
import { answer, type RawServer, rawServer } from '../support/raw-server.ts'

let forbidden: RawServer
beforeAll(async () => void (forbidden = await rawServer(socket => void socket.write(answer('reached')))))
afterAll(async () => {
  expect(forbidden.connections(), 'connections to a refused address').toBe(0)
  await forbidden[Symbol.asyncDispose]()
})

const forms = [
  ...[
    '127.0.0.1',
    '127.1',
    '127.0.1',
    '2130706433',
    '0x7f000001',
    '0x7f.0.0.1',
    '0x7F.1',
    '0177.0.0.1',
    '017700000001',
    '127.0.0.1.',
    '127.255.255.254',
  ],
  ...['%31%32%37.0.0.1', '１２７.0.0.1', '127。0。0。1', '①②⑦.⓪.⓪.①'],
  ...[
    '0.0.0.0',
    '0',
    '[::]',
    '[::1]',
    '[0:0:0:0:0:0:0:1]',
    '[::ffff:127.0.0.1]',
    '[::ffff:7f00:1]',
    '[0:0:0:0:0:ffff:7f00:0001]',
    '[::127.0.0.1]',
  ],
  ...['[64:ff9b::7f00:1]', '[2002:7f00:1::]', '[fe80::1]', '[fc00::1]', '[fd00:ec2::254]', '[ff02::1]'],
  ...[
    '10.0.0.1',
    '172.16.0.1',
    '192.168.1.1',
    '100.64.0.1',
    '169.254.169.254',
    '0xa9fea9fe',
    '2852039166',
    '224.0.0.1',
    '255.255.255.255',
    '198.18.0.1',
    '168.63.129.16',
  ],
]

const behindNames = [
  '127.0.0.1',
  '0.0.0.0',
  '::1',
  '::ffff:127.0.0.1',
  '64:ff9b::7f00:1',
  '10.0.0.1',
  '169.254.169.254',
  '100.64.0.1',
  'fd00::1',
  'fe80::1',
  '224.0.0.1',
]

const refusal = { code: 'fetch.egress_refused', hint: expect.any(String) }

describe('egress', () => {
  test('the table has its 40 forms', () => expect(forms.length).toBeGreaterThanOrEqual(40))

  test.each(forms)('the literal %s is refused', async form => {
    await using opened = openGuard({ settings: { allow_private: [] } })
    await expect(opened.get(`http://${form}:${forbidden.port}/`)).rejects.toMatchObject(refusal)
  })

  test.each(behindNames)('a name for %s is refused', async address => {
    const family = address.includes(':') ? 6 : 4
    await using opened = openGuard({ settings: { allow_private: [] }, resolve: async () => [{ address, family }] })
    await expect(opened.get(`http://review.example:${forbidden.port}/`)).rejects.toMatchObject(refusal)
  })

  test('localhost is refused through the real resolver', async () => {
    await using opened = openGuard({ settings: { allow_private: [] } })
    await expect(opened.get(`http://localhost:${forbidden.port}/`)).rejects.toMatchObject(refusal)
  })

  test('a name with one public and one private address is refused', async () => {
    const resolve = async () => [
      { address: '93.184.216.34', family: 4 as const },
      { address: '127.0.0.1', family: 4 as const },
    ]
    await using opened = openGuard({ settings: { allow_private: [] }, resolve })
    await expect(opened.get(`http://review.example:${forbidden.port}/`)).rejects.toMatchObject(refusal)
  })

  test.each([...forms, 'localhost'])('a redirect to %s is refused', async form => {
    await using allowed = await rawServer(
      socket =>
        void socket.write(
          answer('', {
            status: 302,
            headers: {
              location: encodeURI(`http://${form}:${forbidden.port}/`)
                .replaceAll('%25', '%')
                .replace(/%5B|%5D/g, bracket => decodeURIComponent(bracket)),
            },
          }),
        ),
      undefined,
      '127.0.0.2',
    )
    await using opened = openGuard({ settings: { allow_private: ['127.0.0.2/32'] } })
    await expect(opened.get(allowed.url)).rejects.toMatchObject(refusal)
    expect(allowed.requests).toHaveLength(1)
  })

  test('sec-05: a second answer of the resolver has no effect: the socket goes to the address that was checked', async () => {
    await using allowed = await rawServer(socket => void socket.write(answer('checked')), undefined, '127.0.0.2')
    let asked = 0
    const resolve = async () => [{ address: asked++ === 0 ? '127.0.0.2' : '127.0.0.1', family: 4 as const }]
    await using opened = openGuard({ settings: { allow_private: ['127.0.0.2/32'] }, resolve })
    const url = `http://review.example:${allowed.port}/`
    expect(Buffer.from((await opened.get(url)).body).toString()).toBe('checked')
    expect(asked).toBe(1)
    expect(allowed.connections()).toBe(1)
  })

  test.each([
    'ftp://example.com/',
    'file:///etc/passwd',
    'data:application/json,[]',
    'unix:/var/run/docker.sock',
    'http://user@example.com/',
    'http://user:secret@example.com/',
    'http://:secret@example.com/',
    'javascript:alert(1)',
    'blob:https://example.com/x',
    'http://',
    '//example.com/',
    '/path',
    '',
    `https://example.com/${'x'.repeat(20_000)}`,
  ])('%s is no address to call', async url => {
    await using opened = openGuard()
    const error = await opened.get(url).catch(e => e)
    expect(error).toMatchObject({ code: 'fetch.egress_refused' })
    expect(error.message).not.toContain('secret')
  })
})
