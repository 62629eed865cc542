// kcat: a Kafka client of another family (librdkafka), to read back what weir wrote and to write what weir shall read.
import { type ExecFileOptions, execFile } from 'node:child_process'
import { onPath } from './java.ts'
import { MissingService } from './missing.ts'

/** What kcat prints. Fails with what it complains of when it exits with another code than 0, or takes longer than a minute. */
export type Kcat = (args: readonly string[], input?: string | Uint8Array) => Promise<Buffer>

/** @throws MissingService */
export function findKcat(): Kcat {
  const program = onPath('kcat') ?? onPath('kafkacat')
  if (program === null) throw new MissingService('no kcat on this machine')
  return (args, input = '') =>
    new Promise((resolve, reject) => {
      const options: ExecFileOptions & { encoding: 'buffer' } = {
        encoding: 'buffer',
        timeout: 60_000,
        // Told to end by SIGTERM, kcat exits 0 with what it has.
        killSignal: 'SIGKILL',
        maxBuffer: 1 << 30,
      }
      const child = execFile(program, args, options, (error, stdout, stderr) =>
        error
          ? reject(new Error(`kcat ${args.join(' ')}: ${stderr.toString().trim() || error.message}`))
          : resolve(stdout),
      )
      child.stdin!.on('error', () => {})
      child.stdin!.end(input)
    })
}

/** Arguments that read a topic from its beginning to its end, committed records only, one line each: partition, offset, key, value's length. */
export const readCommitted = (bootstrap: string, topic: string, format = '%p %o %k %S\n'): readonly string[] => [
  ...['-b', bootstrap, '-C', '-t', topic, '-o', 'beginning', '-e', '-q', '-f', format],
  ...['-X', 'isolation.level=read_committed', '-X', 'enable.partition.eof=true'],
]
