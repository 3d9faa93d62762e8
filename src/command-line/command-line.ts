/**
 * `mini-kafka`, `mini-kafka produce`, `mini-kafka consume`: which command was meant, and how it ends.
 *
 * Exit codes: 0 for what went well and for Ctrl-C, 1 for what did not, 2 for a line that was typed wrong.
 */
import { ClientError } from '../client/client-error.ts'
import { SOFTWARE_VERSION } from '../client/node-connection.ts'
import { didYouMean } from '../metadata/nearest-name.ts'
import {
  CommitFailedError,
  ConfigError,
  IllegalArgumentError,
  IllegalStateError,
  KafkaError,
  NoOffsetForPartitionError,
  SerializationError,
} from '../wire/errors.ts'
import { consume, consumeHelp } from './consume.ts'
import { type Flags, type FlagTable, readFlags, UsageError, withoutRest } from './flags.ts'
import { type Help, helpText } from './help.ts'
import { produce, produceHelp } from './produce.ts'
import { UnreachableError } from './reachable.ts'
import { start, startHelp } from './start.ts'
import type { Terminal } from './terminal.ts'

interface Command {
  readonly help: Help
  /** Answers the exit code. */
  run(terminal: Terminal, args: readonly string[]): Promise<number>
}

const commands: Readonly<Record<string, Command>> = {
  start: command(startHelp, start),
  produce: command(produceHelp, produce),
  consume: command(consumeHelp, consume),
}

/** Runs what was typed, and answers the exit code. `args` is without the name of the program. */
export async function runCommandLine(terminal: Terminal, args: readonly string[]): Promise<number> {
  const [first = ''] = args
  const name = first.startsWith('-') || first === '' ? 'start' : first
  const chosen = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (chosen === undefined) {
    const advice = didYouMean(name, Object.keys(commands)) || `: there are ${Object.keys(commands).join(', ')}`
    terminal.say(`mini-kafka: unknown command '${withoutRest(name)}'${advice}`)
    return 2
  }
  try {
    return await chosen.run(terminal, first === name ? args.slice(1) : args)
  } catch (error) {
    return told(terminal, chosen.help.command, error)
  }
}

function command<Table extends FlagTable>(
  help: Help & { readonly flags: Table },
  run: (terminal: Terminal, flags: Flags<keyof Table & string>) => Promise<number>,
): Command {
  return {
    help,
    async run(terminal, args) {
      const flags = readFlags<FlagTable>(help.command, help.flags, args)
      if (flags.has('help')) await terminal.output.write(helpText(help))
      else if (flags.has('version')) await terminal.output.write(`mini-kafka ${SOFTWARE_VERSION}\n`)
      else return run(terminal, flags as Flags<string>)
      return 0
    },
  }
}

/** Errors that are no bugs of ours: their message is for people. */
const expected = [
  ClientError,
  CommitFailedError,
  ConfigError,
  IllegalArgumentError,
  IllegalStateError,
  KafkaError,
  NoOffsetForPartitionError,
  SerializationError,
  UnreachableError,
]

function told(terminal: Terminal, name: string, error: unknown): number {
  if (error instanceof UsageError) {
    terminal.say(`${name}: ${error.message}`)
    return 2
  }
  const isSystem = typeof (error as NodeJS.ErrnoException)?.syscall === 'string'
  if (error instanceof Error && (isSystem || expected.some(kind => error instanceof kind))) {
    terminal.say(`${name}: ${error.message.replaceAll(/\s+/g, ' ')}`)
    // A configuration that does not hold was typed; one that met a port in use was not wrong as such.
    return error instanceof ConfigError && error.cause === undefined ? 2 : 1
  }
  terminal.say(`${name}: this is a bug of mini-kafka, please report it: ${(error as Error)?.stack ?? String(error)}`)
  return 1
}
