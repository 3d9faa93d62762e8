import { expect, test } from 'vitest'
import { apiVersions } from '../../src/apis/api-versions.ts'
import { apiKeyOf, clientIdOf, externalName, isMeantBy } from '../../src/network/external-name.ts'
import { frameOf } from '../../src/wire/frame.ts'
import { encodeRequest } from '../../src/wire/header.ts'

const remote = '127.0.0.1:51234'

test('a connection from outside is named by its client id and where it comes from', () => {
  expect(externalName('checkout', remote)).toBe('checkout@127.0.0.1:51234')
  expect(externalName(null, remote)).toBe('external@127.0.0.1:51234')
  expect(externalName('', remote)).toBe('external@127.0.0.1:51234')
  expect(externalName('a\nb\u0000', remote)).toBe('a?b?@127.0.0.1:51234')
  expect(externalName('x'.repeat(5_000), remote)).toBe(`${'x'.repeat(100)}@127.0.0.1:51234`)
  expect(externalName('broker-1', remote, name => name === 'broker-1')).toBe('external@127.0.0.1:51234')
})

test('it is meant by its client id, its address, its whole name, and by external', () => {
  const name = externalName('a@b', remote)
  for (const reference of ['a@b', remote, name, 'external']) expect(isMeantBy(name, reference)).toBe(true)
  for (const reference of ['a', 'b', '127.0.0.1', 'broker-1', '']) expect(isMeantBy(name, reference)).toBe(false)
  expect([isMeantBy('broker-1', 'external'), isMeantBy('broker-1', 'broker-1')]).toEqual([false, true])
})

test('the header of a request says the API and the client, and what is no header says neither (W-8)', () => {
  const body = { clientSoftwareName: 'x', clientSoftwareVersion: '1' }
  for (const clientId of ['checkout', null, 'ü'.repeat(200)]) {
    const frame = encodeRequest(apiVersions, 4, 1, clientId, body)
    expect([apiKeyOf(frame), clientIdOf(frame)]).toEqual([18, clientId])
  }
  for (const length of [0, 1, 5, 9]) {
    expect(clientIdOf(frameOf([new Uint8Array(length)]))).toBeNull()
    expect(apiKeyOf(frameOf([new Uint8Array(length)]))).toBe(length < 2 ? -1 : 0)
  }
  const claimsTooMuch = Uint8Array.of(0, 3, 0, 12, 0, 0, 0, 1, 0x7f, 0xff, 65)
  expect(clientIdOf(frameOf([claimsTooMuch]))).toBeNull()
})
