// Loaded with --require into every process that is measured: at its exit it writes what it used. CommonJS in JavaScript, so that it
// costs the measured process no loader and no type stripping. Peak memory comes from /proc where there is one: maxRSS of getrusage
// also counts the memory of the parent at the fork. The variable stays: weir may start itself again in the same process.
const { readFileSync, writeFileSync } = require('node:fs')

const path = process.env['BENCH_USAGE']

function peakKb() {
  try {
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))[1])
  } catch {
    return process.resourceUsage().maxRSS
  }
}

if (path)
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime } = process.resourceUsage()
    writeFileSync(path, JSON.stringify({ maxRssKb: peakKb(), cpuUs: userCPUTime + systemCPUTime }))
  })
