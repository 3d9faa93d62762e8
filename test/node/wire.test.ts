/**
 * What Apache Kafka 4.3.1 was seen to do with such frames, case by case. The header of a request: key, version, correlation
 * id, client id; from the first flexible version on a tagged section.
 */
import { describe, expect, test } from 'vitest'
import { NodeUnderTest } from './node-under-test.ts'

const int16 = (value: number) => (value & 0xffff).toString(16).padStart(4, '0')
const int32 = (value: number) => (value >>> 0).toString(16).padStart(8, '0')
const clientId = `${int16(1)}63`
const header = (key: number, version: number, correlationId = 7) =>
  int16(key) + int16(version) + int32(correlationId) + clientId
const v1 = header
const v2 = (key: number, version: number, correlationId = 7) => `${header(key, version, correlationId)}00`

async function outcomeOf(hex: string): Promise<'closed' | string> {
  const node = new NodeUnderTest()
  const client = await node.client()
  client.send(hex)
  await node.pass(10)
  expect(client.answers.length === 0).toBe(client.closed !== undefined)
  expect(node.refusals.length).toBe(client.closed === undefined ? 0 : 1)
  return client.answers[0] ?? 'closed'
}

const answered = /^[0-9a-f]{8}/

describe('a frame too short for its header closes the connection (W-1)', () => {
  const whole = `${v2(18, 4)}0261${'0231'}00`
  test('whole, it is answered', async () => expect(await outcomeOf(whole)).toMatch(answered))
  test.each([0, 1, 3, 4, 7, 8, 9, 10])('cut to %i bytes', async bytes =>
    expect(await outcomeOf(whole.slice(0, 2 * bytes))).toBe('closed'),
  )
})

describe('an unknown key, or one that a broker does not take from clients, closes the connection (W-5)', () => {
  test.each([
    [999, 0],
    [-1, 0],
    [4, 0],
    [5, 0],
    [6, 0],
    [7, 0],
    [52, 0],
    [56, 2],
    [62, 0],
    [63, 0],
    [67, 0],
    [71, 0],
    [72, 0],
    [93, 0],
  ])('key %i, version %i', async (key, version) => expect(await outcomeOf(v1(key, version))).toBe('closed'))
})

describe('a version out of range closes the connection (W-5)', () => {
  test.each([
    ['Produce', 0, 2],
    ['Produce', 0, 0],
    ['Produce', 0, 14],
    ['Produce', 0, -1],
    ['Fetch', 1, 3],
    ['Fetch', 1, 19],
    ['Metadata', 3, 14],
    ['Metadata', 3, 99],
    ['OffsetCommit', 8, 1],
    ['CreateTopics', 19, 1],
    ['InitProducerId', 22, 6],
    ['ListOffsets', 2, 0],
    ['FindCoordinator', 10, 7],
  ])('%s (%i) v%i', async (_, key, version) =>
    expect(await outcomeOf(v2(key, version) + '00'.repeat(20))).toBe('closed'),
  )
})

describe('ApiVersions is answered in any version: an unknown one in version 0 with error 35 (W-11)', () => {
  // Correlation id, error 35, one entry: key 18, versions 0 to 4.
  const unsupported = '00000007' + '0023' + '00000001' + '0012' + '0000' + '0004'
  const body = '0261' + '0231' + '00'
  test.each([
    ['v5 header v1, no body', v1(18, 5), 'closed'],
    ['v5 header v2, no body', v2(18, 5), unsupported],
    ['v5 header v2 + v4 body', v2(18, 5) + body, unsupported],
    ['v999 header v1, no body', v1(18, 999), 'closed'],
    ['v999 header v2, no body', v2(18, 999), unsupported],
    ['v999 header v2 + v4 body', v2(18, 999) + body, unsupported],
    ['v32767 header v1, no body', v1(18, 32767), 'closed'],
    ['v32767 header v2, no body', v2(18, 32767), unsupported],
    ['v32767 header v2 + v4 body', v2(18, 32767) + body, unsupported],
    ['v-1 header v1, no body', v1(18, -1), unsupported],
    ['v-1 header v2, no body', v2(18, -1), unsupported],
    ['v-1 header v2 + v4 body', v2(18, -1) + body, unsupported],
    ['v-32768 header v1, no body', v1(18, -32768), unsupported],
    ['v-32768 header v2, no body', v2(18, -32768), unsupported],
    ['v-32768 header v2 + v4 body', v2(18, -32768) + body, unsupported],
    ['v999, garbage after the client id', `${v1(18, 999)}ffffffffff`, 'closed'],
    ['v999, header cut after the correlation id', v1(18, 999).slice(0, 16), 'closed'],
  ])('%s', async (_, hex, outcome) => expect(await outcomeOf(hex)).toBe(outcome))

  test('the connection stays usable: v999, then v4', async () => {
    const node = new NodeUnderTest()
    const client = await node.client()
    client.send(v2(18, 999, 1))
    client.send(v2(18, 4, 2) + body)
    await node.pass(10)
    expect([client.correlations, client.closed]).toEqual([[1, 2], undefined])
  })

  test('it is an event of the trace like any other answer', async () => {
    const node = new NodeUnderTest()
    const client = await node.client()
    client.send(v2(18, 999, 1))
    await node.pass(10)
    expect(node.time.trace.events().map(({ kind, fields }) => [kind, fields.api, fields.version])).toEqual([
      ['request', 'ApiVersions', 999],
      ['response', 'ApiVersions', undefined],
    ])
  })
})

describe('headers (W-8, W-9)', () => {
  // Metadata v12: one topic named t, by its name; and the same in v1.
  const topics12 = `02${'00'.repeat(16)}027400000000`
  const topics1 = '00000001' + '000174'
  const metadata12 = v2(3, 12) + topics12
  test.each([
    ['Metadata v12 with header v2 has response header v1', metadata12, /^0000000700/],
    ['Metadata v1 has response header v0', v1(3, 1) + topics1, /^0000000700000000/],
    ['client id null', `${int16(3)}${int16(12)}${int32(9)}ffff00${topics12}`, /^00000009/],
    ['unknown tag 3', `${header(3, 12)}010302abcd${topics12}`, answered],
    ['negative correlation id', v2(3, 12, -9) + topics12, /^fffffff7/],
    ['client id of 32767 bytes', `${int16(3)}${int16(12)}${int32(9)}7fff${'63'.repeat(32767)}00${topics12}`, answered],
    ['client id that is no UTF-8', `${int16(3)}${int16(12)}${int32(9)}0002ffff00${topics12}`, answered],
    ['header v0 (no client id), Metadata v0', `${int16(3) + int16(0) + int32(7)}00000000`, 'closed'],
  ])('%s', async (_, hex, outcome) => {
    if (outcome === 'closed') expect(await outcomeOf(hex)).toBe('closed')
    else expect(await outcomeOf(hex)).toMatch(outcome)
  })
})

describe('bodies (W-31, W-32)', () => {
  const topic = `${'00'.repeat(16)}0274`
  const flags = '0000'
  const whole = `${v2(3, 12)}02${topic}00${flags}00`
  test.each([
    ['Metadata v12 whole', whole, answered],
    ['cut by 1 byte', whole.slice(0, -2), 'closed'],
    ['1 trailing byte is ignored', `${whole}00`, answered],
    ['10 trailing bytes 0xff are ignored', whole + 'ff'.repeat(10), answered],
    ['empty body', v2(3, 12), 'closed'],
    ['v1 array count 2147483647', `${v1(3, 1)}7fffffff`, 'closed'],
    ['v1 array count 5 with 4 bytes left', `${v1(3, 1)}0000000500000000`, 'closed'],
    ['v1 array count -2 is null', `${v1(3, 1)}fffffffe`, answered],
    ['v12 compact array count of 5 bytes', `${v2(3, 12)}ffffffff0f`, 'closed'],
    ['v12 uvarint of 6 bytes', `${v2(3, 12)}808080808001`, 'closed'],
    ['v1 string length -1, not nullable', `${v1(3, 1)}00000001ffff`, 'closed'],
    ['v1 string length -2', `${v1(3, 1)}00000001fffe`, 'closed'],
    ['v1 name that is no UTF-8', `${v1(3, 1)}000000010002ffff`, answered],
    ['v12 unknown tag 5 at the end', `${v2(3, 12)}02${topic}00${flags}010502abcd`, answered],
    ['v12 unknown tags 5 then 4, descending', `${v2(3, 12)}02${topic}00${flags}020501aa0401bb`, answered],
    ['v12 unknown tag 5 twice', `${v2(3, 12)}02${topic}00${flags}020501aa0501bb`, answered],
    ['v12 tag size beyond the frame', `${v2(3, 12)}02${topic}00${flags}01057f`, 'closed'],
    ['v12 boolean byte 2', `${v2(3, 12)}02${topic}00020000`, answered],
  ])('%s', async (_, hex, outcome) => {
    if (outcome === 'closed') expect(await outcomeOf(hex)).toBe('closed')
    else expect(await outcomeOf(hex)).toMatch(outcome)
  })
})
