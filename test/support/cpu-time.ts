// CPU time of this process in milliseconds: what a bound on work is held against, because a busy machine stretches the wall clock.
export function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
