// A real browser for the pages that weir writes: Chromium with a profile of its own and without a network.
import type { Browser } from 'playwright-core'
import { scratchDir } from './services/guard.ts'
import { onPath } from './services/java.ts'
import { MissingService } from './services/missing.ts'
import { startProcess } from './services/service-process.ts'

export interface RunningBrowser extends AsyncDisposable {
  /** Contexts of it are fresh profiles. It can resolve no name and reach no address. */
  readonly browser: Browser
}

/** Of a page that needs nothing from anywhere: whatever asks for a name or an address gets an error. */
const withoutNetwork = [
  '--host-resolver-rules=MAP * ~NOTFOUND',
  '--proxy-server=127.0.0.1:9',
  '--proxy-bypass-list=<-loopback>',
]
const quiet = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-gpu',
  '--disable-quic',
  '--disable-sync',
  '--no-first-run',
]

/** The path of Chromium. @throws MissingService */
export function findChromium(): string {
  const program = onPath('chromium')
  if (program === null) throw new MissingService('no chromium on this machine')
  return program
}

/** @throws MissingService */
export async function startBrowser(): Promise<RunningBrowser> {
  const command = findChromium()
  const dir = scratchDir('chromium')
  const address = (said: string) => /DevTools listening on (ws:\S+)/.exec(said)?.[1]
  const process = await startProcess({
    name: 'Chromium',
    command,
    args: [
      ...['--headless', '--no-sandbox', ...quiet, ...withoutNetwork],
      ...['--remote-debugging-port=0', `--user-data-dir=${dir}/profile`, 'about:blank'],
    ],
    dir,
    env: { XDG_CONFIG_HOME: dir, XDG_CACHE_HOME: dir },
    ready: said => address(said) !== undefined,
  })
  const end = async () => {
    // Told to end, it ends the processes that write into its folder first.
    await process.kill('SIGTERM')
    await process[Symbol.asyncDispose]()
  }
  try {
    const { chromium } = await import('playwright-core')
    const browser = await chromium.connectOverCDP(address(process.log())!)
    return { browser, [Symbol.asyncDispose]: () => browser.close().finally(end) }
  } catch (error) {
    await end()
    throw error
  }
}
