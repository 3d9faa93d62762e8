import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { uuidFromText, uuidToText, zeroUuid } from '../../src/wire/uuid.ts'
import { bytesOf, hexOf, vectors } from './vectors.ts'

const golden = vectors<{ uuid: { text: string; hex: string }[] }>('vectors/primitives').uuid

describe('the text of a uuid (W-23)', () => {
  test("is Kafka's for every vector, both ways", () => {
    expect(golden.length).toBe(25)
    for (const { text, hex } of golden) {
      expect(uuidToText(bytesOf(hex))).toBe(text)
      expect(hexOf(uuidFromText(text))).toBe(hex)
    }
  })

  test('comes back as the same bytes, from anywhere in a larger piece', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 20, maxLength: 20 }), bytes => {
        expect(uuidFromText(uuidToText(bytes, 3))).toEqual(bytes.slice(3, 19))
      }),
    )
  })

  test('of zero bytes is no id', () => {
    expect(uuidToText(new Uint8Array(16))).toBe(zeroUuid)
    expect(uuidFromText(zeroUuid)).toEqual(new Uint8Array(16))
  })

  test.each([
    '',
    'short',
    'L53-OkdfE19Poi3rDdD6_',
    'L53-OkdfE19Poi3rDdD6_A==',
    'L53+OkdfE19Poi3rDdD6/A',
    'é'.repeat(22),
  ])('%j is none', text => {
    expect(() => uuidFromText(text)).toThrow(/is not a uuid/)
  })
})
