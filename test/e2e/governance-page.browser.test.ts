// The review page as a reviewer opens it: from a file, in a real browser, without a network, by keyboard, on a phone, in the dark. And the page
// of a schema that attacks whoever reads it.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { AxeResults } from 'axe-core'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runWeir } from '../support/cli.ts'
import { governedWorkspace, reviewFields, reviewSchema } from '../support/governed-workspace.ts'
import { describeWith } from '../support/services/for-tests.ts'

const dir = mkdtempSync(join(tmpdir(), 'weir-review-page-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** Has every part that a page can have; forms.test.ts holds it against the code. */
const fullPage = resolve(import.meta.dirname, '../data/expected/review.html')
const sharedPage = join(dir, 'shared.html')
const hostilePage = join(dir, 'hostile.html')
const bareFile = join(dir, 'bare.html')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

const wide = { width: 1280, height: 900 }
const phone = { width: 375, height: 700 }

// Each sets `ran`, asks for something, or leads away, if any of it is taken as more than text.
const attacks = [
  '<script>globalThis.ran = 1</script>',
  '</code></pre></style></title><script>globalThis.ran = 2</script>',
  '<img src=x onerror="globalThis.ran = 3">',
  '"><svg onload="globalThis.ran = 4">',
  '" autofocus tabindex="0" onfocus="globalThis.ran = 5" x="',
  "' onmouseover='globalThis.ran = 6' x='",
  '<details open ontoggle="globalThis.ran = 7"><summary>x</summary></details>',
  '<a href="javascript:globalThis.ran = 8">read more</a>',
  'javascript:globalThis.ran=9',
  '<iframe srcdoc="<script>parent.ran = 10</script>"></iframe>',
  '<meta http-equiv="refresh" content="0;url=http://evil.example/">',
  '<link rel="stylesheet" href="http://evil.example/a.css">',
  '<style>@import "http://evil.example/b.css"; main { display: none }</style>',
  '&lt;script&gt;globalThis.ran = 11&lt;/script&gt;',
]
const attack = attacks.join(' ')
const acting = 'script, img, svg, iframe, link, object, embed, form, base, meta[http-equiv=refresh]'

interface Opened {
  readonly page: Page
  /** Addresses that were asked for, but the file itself. */
  readonly requests: readonly string[]
  /** What the console and uncaught errors say. */
  readonly complaints: readonly string[]
}

await describeWith(['own-browser'], 'the review page in a browser', startBrowser => {
  let browser: Browser
  let stop: () => PromiseLike<void> = async () => {}

  beforeAll(async () => {
    const running = await startBrowser()
    browser = running.browser
    stop = () => running[Symbol.asyncDispose]()
    await writePages()
  }, 120_000)
  afterAll(() => stop())

  async function open<T>(file: string, options: BrowserContextOptions, look: (opened: Opened) => Promise<T>) {
    const address = pathToFileURL(file).href
    const context = await browser.newContext(options)
    try {
      const page = await context.newPage()
      const requests: string[] = []
      const complaints: string[] = []
      page.on('request', request => request.url() !== address && requests.push(request.url()))
      page.on('console', message => complaints.push(message.text()))
      page.on('pageerror', error => complaints.push(error.message))
      page.on('dialog', dialog => {
        complaints.push(`dialog: ${dialog.message()}`)
        void dialog.dismiss()
      })
      await page.goto(address, { waitUntil: 'load' })
      return await look({ page, requests, complaints })
    } finally {
      await context.close()
    }
  }

  test.for([
    ['everything', fullPage, 'Breaking'],
    ['one schema of two subjects', sharedPage, 'Compatible'],
  ] as const)('%s: opens in silence, and the verdict is the first heading', async ([, file, verdict]) => {
    for (const viewport of [wide, phone])
      await open(file, { viewport }, async ({ page, requests, complaints }) => {
        const first = page.locator('h1, h2, h3, h4, h5, h6').first()
        expect(await first.textContent()).toContain(verdict)
        const box = (await first.boundingBox())!
        expect({ top: box.y >= 0, bottom: box.y + box.height < viewport.height }).toEqual({ top: true, bottom: true })
        expect({ requests, complaints }).toEqual({ requests: [], complaints: [] })
      })
  })

  test('details open and close by keyboard, and each can be reached', async () => {
    await open(fullPage, { viewport: wide }, async ({ page }) => {
      const all = await page.locator('details').count()
      expect(all).toBeGreaterThan(3)
      const opened = () => page.locator('details[open]').count()
      const focused = () => page.evaluate<string>('document.activeElement.tagName')
      await page.keyboard.press('Tab')
      expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the reviews')
      let reached = 0
      for (let presses = 0; reached < all && presses < 200; presses++) {
        await page.keyboard.press('Tab')
        if ((await focused()) !== 'SUMMARY') continue
        reached++
        await page.keyboard.press('Enter')
        expect(await opened()).toBe(1)
        await page.keyboard.press('Space')
        expect(await opened()).toBe(0)
      }
      expect(reached).toBe(all)
    })
  })

  const looks = [
    ['light, wide', { colorScheme: 'light', viewport: wide }],
    ['dark, on a phone', { colorScheme: 'dark', viewport: phone }],
  ] as const
  test.for([
    ...looks.map(([look, options]) => ['everything', look, fullPage, options] as const),
    ...looks.map(([look, options]) => ['one schema of two subjects', look, sharedPage, options] as const),
  ])('%s: axe finds nothing, %s', { timeout: 60_000 }, async ([, , file, options]) => {
    await open(file, options, async ({ page }) => {
      await openDetails(page)
      await page.evaluate(axe)
      const { violations, passes } = (await page.evaluate('axe.run(document)')) as AxeResults
      expect(
        violations.map(({ id, nodes }) => ({
          id,
          where: nodes.map(({ html, failureSummary }) => [html, failureSummary]),
        })),
      ).toEqual([])
      expect(passes.map(({ id }) => id)).toContain('color-contrast')
    })
  })

  test.for([
    ['everything', fullPage],
    ['one schema of two subjects', sharedPage],
    ['a hostile schema', hostilePage],
  ] as const)('%s: nothing is wider than a phone', async ([, file]) => {
    await open(file, { viewport: phone }, async ({ page }) => {
      await openDetails(page)
      const widths = await page.evaluate(`({
        scrolls: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        wider: [...document.querySelectorAll('body *')]
          .filter(each => !each.closest('.scroll, .skip') && each.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5)
          .map(each => each.outerHTML.slice(0, 200)),
      })`)
      expect(widths).toEqual({ scrolls: 0, wider: [] })
    })
  })

  test('the attacks are some: written as they are, they run, ask and lead away', async () => {
    // Without the one that leads away, which would end the others.
    writeFileSync(
      bareFile,
      `<!doctype html><title>x</title>${attacks.filter(each => !each.includes('refresh')).join('\n')}`,
    )
    await open(bareFile, { bypassCSP: true }, async ({ page, requests }) => {
      expect(await page.evaluate('globalThis.ran')).toBeGreaterThan(0)
      expect(requests).toEqual(expect.arrayContaining([expect.stringContaining('evil.example')]))
    })
  })

  test.for([
    ['as it is', {}],
    ['without its policy, by escaping alone', { bypassCSP: true }],
  ] as const)('a hostile schema runs nothing: %s', async ([, options]) => {
    await open(hostilePage, { ...options, viewport: wide }, async ({ page, requests, complaints }) => {
      await openDetails(page)
      for (const summary of await page.locator('summary, a[href]').all()) await summary.focus()
      await page.locator('article').first().hover()
      const seen = await page.evaluate<{ readonly shown: string }>(`({
        ran: globalThis.ran ?? null,
        at: location.href,
        acting: document.querySelectorAll('${acting}').length,
        styles: document.querySelectorAll('style').length,
        attributes: [...document.querySelectorAll('*')]
          .flatMap(each => each.getAttributeNames())
          .filter(name => name.startsWith('on') || ['style', 'autofocus', 'src', 'srcdoc'].includes(name)),
        links: [...document.querySelectorAll('[href]')]
          .map(each => each.getAttribute('href'))
          .filter(target => !target.startsWith('#')),
        shown: document.body.innerText,
      })`)
      const { shown, ...rest } = seen
      expect(rest).toEqual({
        ran: null,
        at: pathToFileURL(hostilePage).href,
        acting: 0,
        styles: 1,
        attributes: [],
        links: [],
      })
      // They came as far as the page, as text of JSON.
      for (const each of attacks) expect(shown).toContain(JSON.stringify(each).slice(1, -1))
      expect({ requests, complaints }).toEqual({ requests: [], complaints: [] })
    })
  })
})

const openDetails = (page: Page) =>
  page.evaluate('for (const each of document.querySelectorAll("details")) each.open = true')

/** Pages of the real command: a change of a schema that two topics share, and one full of attacks. */
async function writePages(): Promise<void> {
  using workspace = governedWorkspace(['reviews', 'other'])
  const check = async (out: string) => {
    const { code, err } = await runWeir(['schema', 'check', '--out', out], { cwd: workspace.dir, deadlineMs: 60_000 })
    expect({ code, err }).toEqual({ code: expect.toSatisfy(each => each === 0 || each === 1), err: expect.any(String) })
  }
  workspace.write('pipelines/other.yaml', workspace.read('pipelines/other.yaml').replace('other.avsc', 'reviews.avsc'))
  workspace.git('init', '-q', '-b', 'main')
  workspace.git('add', '.')
  workspace.git('commit', '-q', '-m', 'Reviews')
  const [id, stars, ...others] = reviewFields
  workspace.write(
    'schemas/reviews.avsc',
    reviewSchema([id!, stars!, { name: 'language', type: ['null', 'string'], default: null }, ...others]),
  )
  await check(sharedPage)
  const bad = { name: 'language', type: 'string', default: attack, doc: attack, 'x-note': attack }
  workspace.write(
    'schemas/reviews.avsc',
    reviewSchema([id!, { ...stars!, type: 'int', doc: attack }, bad, ...others]).replace('A review.', () =>
      JSON.stringify(attack).slice(1, -1),
    ),
  )
  workspace.write(
    'schemas/governance.yaml',
    `defaults: { owner: ${JSON.stringify(attacks[2])}, level: BACKWARD_TRANSITIVE, block: ["silent.*"] }\n`,
  )
  await check(hostilePage)
}
