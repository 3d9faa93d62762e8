const NEWLINE = 0x0a
const RETURN = 0x0d

/**
 * Lines of a stream of bytes, as bytes, without their ends (`\n` or `\r\n`); what follows the last end is a line too. Yields
 * all lines of a chunk at once.
 */
export async function* linesOf(chunks: AsyncIterable<Buffer | string>): AsyncGenerator<Buffer[]> {
  /** The beginning of a line whose end has not come yet. */
  let rest: Buffer[] = []
  for await (const piece of chunks) {
    const chunk = typeof piece === 'string' ? Buffer.from(piece) : piece
    const lines: Buffer[] = []
    let from = 0
    for (let at = chunk.indexOf(NEWLINE); at >= 0; at = chunk.indexOf(NEWLINE, from)) {
      lines.push(withoutReturn(joined(rest, chunk.subarray(from, at))))
      rest = []
      from = at + 1
    }
    if (from < chunk.length) rest.push(chunk.subarray(from))
    if (lines.length > 0) yield lines
  }
  if (rest.length > 0) yield [withoutReturn(Buffer.concat(rest))]
}

function joined(rest: readonly Buffer[], end: Buffer): Buffer {
  return rest.length === 0 ? end : Buffer.concat([...rest, end])
}

function withoutReturn(line: Buffer): Buffer {
  return line.at(-1) === RETURN ? line.subarray(0, -1) : line
}
