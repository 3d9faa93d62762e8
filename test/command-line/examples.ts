import { PassThrough } from 'node:stream'
import { runCommandLine } from '../../src/command-line/command-line.ts'
import { Output } from '../../src/command-line/terminal.ts'

export interface Ran {
  readonly code: number
  readonly output: string
  /** Lines on stderr. */
  readonly errors: readonly string[]
}

/** Runs a command in this process, with an empty stdin. */
export async function run(...args: string[]): Promise<Ran> {
  const stream = new PassThrough().setEncoding('utf8')
  const errors: string[] = []
  const code = await runCommandLine(
    {
      input: new PassThrough().end(),
      output: new Output(stream),
      stopped: new AbortController().signal,
      say: line => errors.push(line),
    },
    args,
  )
  return { code, output: stream.read() ?? '', errors }
}

/** The arguments of each `mini-kafka` in lines of a shell. */
export function commandsIn(text: string): string[][] {
  const lines = text.matchAll(/^ *(?:[^#\n]*\| )?(?:npx )?mini-kafka\b(.*)$/gm)
  return [...lines].map(([, line]) =>
    [...line!.replace(/ [<&#|].*/, '').matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!),
  )
}

/** What is wrong with them: every flag and value is read, and then it stops at the help. */
export async function complaint(args: readonly string[]): Promise<string | undefined> {
  const { code, errors } = await run(...args, '--help')
  return code === 0 ? undefined : errors.join('\n')
}
