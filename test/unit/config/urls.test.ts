import { expect, test } from 'vitest'
import { Problems } from '../../../src/config/problem.ts'
import { checkUrls } from '../../../src/config/urls.ts'

function check(url: string, allowed: readonly string[] = []): readonly string[] {
  const problems = new Problems('p.yaml', '', false)
  checkUrls(new Map([['/source/http/url', url]]), allowed, problems)
  return problems.list().map(p => p.message)
}

test.each([
  'https://api.example.com/reviews?x=1',
  'http://api.example.com:8080',
  'https://{{ split.host }}/x',
  'https://{{ split.host }}.example.com:80/{{ split.id }}@x',
  '{{ split.url }}',
  'https://8.8.8.8/',
  'https://[2606:4700::1111]/',
])('%s may be called', url => {
  expect(check(url)).toEqual([])
})

test.each([
  ['api.example.com/x', 'has no scheme'],
  ['localhost:8080/x', 'has no scheme'],
  ['/x', 'has no scheme'],
  ['file:///etc/passwd', 'has the scheme file'],
  ['ftp://x/y', 'has the scheme ftp'],
  ['javascript:alert(1)', 'has the scheme javascript'],
  ['https://', 'has no host'],
  ['https://a:b@x/', 'holds a user name'],
  ['https://exa mple/', 'cannot be read'],
  ['http://127.0.0.1/', 'private network'],
  ['http://0x7f000001/', 'private network'],
  ['http://2130706433/', 'private network'],
  ['http://[::1]/', 'private network'],
  ['http://[::ffff:10.0.0.1]/', 'private network'],
  ['http://169.254.169.254/latest', 'private network'],
])('%s %s', (url, message) => {
  expect(check(url).join()).toContain(message)
})

test('private addresses that are allowed may be called', () => {
  expect(check('http://127.0.0.1:8080/', ['127.0.0.0/8'])).toEqual([])
  expect(check('http://10.1.2.3/', ['127.0.0.0/8', 'fd00::/8']).join()).toContain('private network')
})

test('a range that is none is a problem at its entry', () => {
  expect(check('https://x.example', ['nonsense']).length).toBe(1)
})
