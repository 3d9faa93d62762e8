import { UsageError } from './flags.ts'

/** Key and value as a line has them. */
export interface LineRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
}

export interface LineForm {
  /** What stands between key and value; left out: the line is the value. */
  readonly keySeparator?: string | undefined
  /** A key or a value that reads like this is null; left out: there is none. */
  readonly nullText?: string | undefined
}

/** Reads records from lines: bytes are taken as they are. */
export function lineReader({ keySeparator, nullText }: LineForm): (line: Buffer) => LineRecord | undefined {
  if (keySeparator === '') throw new UsageError("--key-separator is empty: leave it out, or say which, as in ':'")
  const separator = keySeparator === undefined ? undefined : Buffer.from(keySeparator)
  const nothing = nullText === undefined ? undefined : Buffer.from(nullText)
  const dataOf = (bytes: Buffer) => (nothing?.equals(bytes) ? null : bytes)
  return line => {
    if (separator === undefined) return { key: null, value: dataOf(line) }
    const at = line.indexOf(separator)
    if (at < 0) return undefined
    return { key: dataOf(line.subarray(0, at)), value: dataOf(line.subarray(at + separator.length)) }
  }
}
