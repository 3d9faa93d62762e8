import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lineReader } from '../../src/command-line/line-record.ts'
import { linesOf } from '../../src/command-line/lines.ts'

async function read(chunks: readonly Buffer[]): Promise<string[]> {
  async function* source() {
    yield* chunks
  }
  const lines: string[] = []
  for await (const some of linesOf(source())) lines.push(...some.map(line => line.toString('latin1')))
  return lines
}

test('a line ends with \\n or \\r\\n; the last one need not, and an empty one is one', async () => {
  const lines = (text: string) => read([Buffer.from(text)])
  expect(await lines('a\nb\r\n\nc')).toEqual(['a', 'b', '', 'c'])
  expect(await lines('a\n')).toEqual(['a'])
  expect(await lines('\n')).toEqual([''])
  expect(await lines('')).toEqual([])
  expect(await lines('a\rb\n')).toEqual(['a\rb'])
})

test('lines are the same however the bytes come in', async () => {
  const byte = fc.constantFrom(0x0a, 0x0d, 0x61, 0xff)
  await fc.assert(
    fc.asyncProperty(fc.array(byte, { maxLength: 40 }), fc.array(fc.nat(40), { maxLength: 6 }), async (bytes, cuts) => {
      const whole = Buffer.from(bytes)
      const at = [0, ...cuts.sort((a, b) => a - b), whole.length]
      const chunks = at.slice(1).map((end, index) => whole.subarray(at[index], end))
      expect(await read(chunks)).toEqual(await read([whole]))
    }),
  )
})

test('the first separator of a line ends its key; a line without one is none', () => {
  const reader = lineReader({ keySeparator: '::' })
  const texts = (line: string) => {
    const record = reader(Buffer.from(line))
    return record && [record.key?.toString(), record.value?.toString()]
  }
  expect(texts('a::b::c')).toEqual(['a', 'b::c'])
  expect(texts('::b')).toEqual(['', 'b'])
  expect(texts('a::')).toEqual(['a', ''])
  expect(texts('a:b')).toBeUndefined()
})

test('without a separator there are no keys; a null text is null as key and as value, and only as a whole', () => {
  expect(lineReader({})(Buffer.from('a:b'))).toEqual({ key: null, value: Buffer.from('a:b') })
  const reader = lineReader({ keySeparator: ':', nullText: '-' })
  expect(reader(Buffer.from('-:-'))).toEqual({ key: null, value: null })
  expect(reader(Buffer.from('--:'))).toEqual({ key: Buffer.from('--'), value: Buffer.from('') })
  expect(() => lineReader({ keySeparator: '' })).toThrow(
    "--key-separator is empty: leave it out, or say which, as in ':'",
  )
})
