import type { FlagTable } from './flags.ts'

/** What `--help` says of a command. */
export interface Help {
  /** As it is typed: `mini-kafka produce`. */
  readonly command: string
  /** The whole line. */
  readonly usage: string
  readonly about: readonly string[]
  readonly flags: FlagTable
  readonly examples: readonly (readonly [what: string, line: string])[]
}

const WIDTH = 100

export function helpText({ usage, about, flags, examples }: Help): string {
  const heads = Object.entries(flags).map(([name, { value }]) => `--${name}${value === undefined ? '' : ` ${value}`}`)
  const column = Math.max(...heads.map(head => head.length)) + 4
  const rows = Object.values(flags).map(({ help, repeats }, index) => {
    const text = repeats === undefined ? help : `${help} (may be repeated)`
    return `  ${heads[index]!.padEnd(column - 2)}${wrapped(text, WIDTH - column).join(`\n${' '.repeat(column)}`)}`
  })
  const shown = examples.map(([what, line]) => `  # ${what}\n  ${line}`)
  const parts = [usage, about.join('\n'), `Flags:\n${rows.join('\n')}`, `Examples:\n${shown.join('\n')}`]
  return `${parts.join('\n\n')}\n`
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
