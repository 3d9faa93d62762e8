import { expect, test } from 'vitest'
import { apiVersions } from '../../src/apis/api-versions.ts'
import { metadata } from '../../src/apis/metadata.ts'
import { apiOf } from '../../src/apis/registry.ts'
import { joined } from '../../src/wire/frame.ts'
import { encodeRequest, encodeResponse, readRequestHeader, readResponse } from '../../src/wire/header.ts'
import { MalformedError, Reader } from '../../src/wire/reader.ts'

const read = (hex: string) => {
  const reader = new Reader([Buffer.from(hex, 'hex')])
  const { apiKey, apiVersion, correlationId, clientId } = readRequestHeader(reader, apiOf)
  return { apiKey, apiVersion, correlationId, clientId, left: reader.remaining }
}

const hexOf = (frame: { slices: readonly Uint8Array[] }) => Buffer.from(joined(frame.slices)).toString('hex')

test('the client id keeps its int16 length in header v2, and a section for tags follows (W-8)', () => {
  expect(hexOf(encodeRequest(metadata, 12, 5, 'ab', { topics: null }))).toBe(
    '0003' + '000c' + '00000005' + '0002' + '6162' + '00' + '00' + '01' + '00' + '00',
  )
  expect(hexOf(encodeRequest(metadata, 1, 5, null, { topics: [] }))).toBe(
    '0003' + '0001' + '00000005' + 'ffff' + '00000000',
  )
})

test('null, empty, longest and non-UTF-8 client ids are read (W-8)', () => {
  expect(read('0003' + '0001' + '00000005' + 'ffff')).toMatchObject({ clientId: null, left: 0 })
  expect(read('0003' + '000c' + 'fffffff7' + '0000' + '00')).toMatchObject({ clientId: '', correlationId: -9, left: 0 })
  expect(read('0003' + '0001' + '00000005' + '0003' + '61ff62')).toMatchObject({ clientId: 'a\ufffdb', left: 0 })
  const longest = 'x'.repeat(0x7fff)
  const frame = encodeRequest(metadata, 1, 5, longest, { topics: [] })
  expect(readRequestHeader(new Reader(frame.slices), apiOf).clientId).toBe(longest)
  expect(() => encodeRequest(metadata, 1, 5, `${longest}x`, { topics: [] })).toThrow(RangeError)
})

test('unknown tags in a header are skipped (W-8)', () => {
  expect(read('0003' + '000c' + '00000005' + '0000' + '02' + '0302abcd' + '0100' + 'ee')).toMatchObject({ left: 1 })
})

test('an ApiVersions of an unknown version has header v2 from 3 on, v1 when negative (W-11)', () => {
  expect(read('0012' + '03e7' + '00000007' + '0000' + '00')).toMatchObject({ apiVersion: 999, left: 0 })
  expect(() => read('0012' + '03e7' + '00000007' + '0000')).toThrow(MalformedError)
  expect(read('0012' + 'ffff' + '00000007' + '0000' + '00')).toMatchObject({ apiVersion: -1, left: 1 })
  expect(read('0012' + '8000' + '00000007' + '0000')).toMatchObject({ apiVersion: -32768, left: 0 })
})

test('an unknown key, and a header that is cut short, are malformed: the connection is closed (W-5)', () => {
  expect(() => read('03e7' + '0000' + '00000007' + '0000')).toThrow('no API has the key 999')
  const whole = '0003' + '000c' + '00000005' + '0002' + '6162' + '00'
  for (let end = 0; end < whole.length; end += 2) expect(() => read(whole.slice(0, end))).toThrow(MalformedError)
})

test('an ApiVersions response has the old header in every version, others a section for tags from flexible on (W-9)', () => {
  const body = { errorCode: 0, apiKeys: [] }
  for (const version of [0, 1, 2, 3, 4]) {
    const start = hexOf(encodeResponse(apiVersions, version, 7, body)).slice(0, 12)
    expect(start).toBe('00000007' + '0000')
  }
  const brokers = { brokers: [], topics: [] }
  expect(hexOf(encodeResponse(metadata, 9, 7, brokers)).slice(0, 18)).toBe('00000007' + '00' + '00000000')
  expect(hexOf(encodeResponse(metadata, 8, 7, brokers)).slice(0, 16)).toBe('00000007' + '00000000')
})

test('a response with another correlation id than the oldest request is refused (W-3)', () => {
  const { slices } = encodeResponse(metadata, 9, 8, { brokers: [], topics: [] })
  expect(() => readResponse(new Reader(slices), metadata, 9, 7)).toThrow('answered with correlation id 8, not 7')
  expect(readResponse(new Reader(slices), metadata, 9, 8).brokers).toEqual([])
})

test('a node that does not know the asked version of ApiVersions answers in v0, and is understood (W-11)', () => {
  const answer = Buffer.from('00000007' + '0023' + '00000001' + '001200000004', 'hex')
  for (const version of [4, 3, 2, 1, 0]) {
    const response = readResponse(new Reader([answer]), apiVersions, version, 7)
    expect(response.errorCode).toBe(35)
    expect(response.apiKeys).toEqual([{ apiKey: 18, minVersion: 0, maxVersion: 4 }])
  }
  expect(() => readResponse(new Reader([answer.subarray(0, 9)]), apiVersions, 4, 7)).toThrow(MalformedError)
})
