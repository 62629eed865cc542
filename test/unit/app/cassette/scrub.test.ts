// What a recording must not hold, in every form in which a source may repeat it.
import { afterAll, expect, test } from 'vitest'
import { createScrubber } from '../../../../src/app/cassette/scrub.ts'
import { forget, remember } from '../../../../src/core/secret.ts'

const key = new Uint8Array(32).fill(7)
const secret = 'canary/secret+42=='
remember(secret)
afterAll(() => forget(secret))

function scrubbed(...bodies: string[]): { readonly texts: readonly string[]; readonly taken: Record<string, number> } {
  const scrubber = createScrubber(key)
  for (const body of bodies) scrubber.look(body)
  const texts = bodies.map(body => scrubber.text(body))
  for (const text of texts) expect(scrubber.leaks(text)).toBe(false)
  return { texts, taken: Object.fromEntries(scrubber.taken) }
}

test.each([
  ['as it is', secret],
  ['in a URL', encodeURIComponent(secret)],
  ['in a form', new URLSearchParams([['', secret]]).toString().slice(1)],
  ['in Base64', Buffer.from(`user:${secret}`).toString('base64')],
  ['in JSON in JSON', JSON.stringify(JSON.stringify({ echo: secret }))],
])('a secret %s', (_, form) => {
  const { texts, taken } = scrubbed(JSON.stringify({ message: `you sent ${form}` }))
  expect(texts[0]).toContain('***')
  expect(texts[0]).not.toMatch(/canary|Y2FuYXJ5/i)
  expect(taken).toEqual({ secrets: 1 })
})

test.each([
  ['access_token', true],
  ['refreshToken', true],
  ['client_secret', true],
  ['X-Amz-Signature', true],
  ['next_page_token', false],
  ['nextToken', false],
  ['cursor', false],
])('%s was issued: %s', (field, isIssued) => {
  const { texts } = scrubbed(JSON.stringify({ [field]: 'canary-issued' }))
  expect(texts[0]!.includes('canary-issued')).toBe(!isIssued)
})

test('a person is the same stand-in on every page, in texts and links too, and another with another key', () => {
  const review = { author: { name: 'Maren Tested', id: 'amzn1.account.ABCDEF123' }, title: 'Maren Tested says' }
  const { texts, taken } = scrubbed(
    JSON.stringify({ reviews: [review] }),
    '<a href="/gp/profile/amzn1.account.ABCDEF123"><span class="a-profile-name">Maren Tested</span></a>',
  )
  const first = JSON.parse(texts[0]!).reviews[0]
  expect(first.author.name).toMatch(/^Name [0-9a-f]{10}$/)
  expect(first.title).toBe(`${first.author.name} says`)
  expect(texts[1]).toBe(
    `<a href="/gp/profile/${first.author.id}"><span class="a-profile-name">${first.author.name}</span></a>`,
  )
  expect(taken).toEqual({ names: 3, 'ids of people': 2 })
  const other = createScrubber()
  other.look(JSON.stringify(review))
  expect(JSON.parse(other.text(JSON.stringify(review))).author.name).not.toBe(first.author.name)
})

test.each([
  ['reviewer_name'],
  ['authorName'],
  ['author'],
  ['userName'],
  ['author_title'],
  ['profile_id'],
  ['reviewerId'],
  ['customer_id'],
  ['author_url'],
  ['avatar'],
  ['profileImage'],
  ['email'],
])('%s is of a person', field => {
  expect(scrubbed(JSON.stringify({ [field]: 'canary' })).texts[0]).not.toContain('canary')
})

test('what is of the product stays', () => {
  const product = { title: 'Kettle', id: 'B01', name: 'Kettle', url: 'https://shop/B01', rating: 5, brand: 'Ann' }
  expect(JSON.parse(scrubbed(JSON.stringify(product)).texts[0]!)).toEqual(product)
})

test('a short name is replaced in its field and not within other words', () => {
  const { texts } = scrubbed(JSON.stringify({ author: 'Ann', text: 'Annual planning' }))
  expect(JSON.parse(texts[0]!)).toMatchObject({ author: expect.stringMatching(/^Name /), text: 'Annual planning' })
})

test('a name that only the mapping finds is replaced in any body', () => {
  const scrubber = createScrubber(key)
  const csv = 'id,who\n1,Maren Tested\n'
  scrubber.look(csv)
  scrubber.lookAtRecord({ review_id: '1', reviewer_name: 'Maren Tested' })
  expect(scrubber.text(csv)).toMatch(/^id,who\n1,Name [0-9a-f]{10}\n$/)
})

test('numbers that JSON would change, and lines of JSON, keep their form', () => {
  const { texts } = scrubbed('{"id":12345678901234567890,"author":"Maren Tested"}', '{"user_id":1}\n{"author":"Bo"}')
  expect(texts[0]).toMatch(/^\{"id":12345678901234567890,"author":"Name [0-9a-f]{10}"\}$/)
  expect(texts[1]!.split('\n')).toHaveLength(2)
})

test('credentials in an address are masked, its place in a listing stays', () => {
  const scrubber = createScrubber(key)
  const url = scrubber.url('https://a/r?api_key=canary&page_token=p2&next=3')
  expect(decodeURIComponent(url)).toBe('https://a/r?api_key=***&page_token=p2&next=3')
})
