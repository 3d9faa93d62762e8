import { afterEach, beforeEach, expect, test } from 'vitest'
import { alterUserScramCredentials } from '../../src/apis/alter-user-scram-credentials.ts'
import { describeUserScramCredentials } from '../../src/apis/describe-user-scram-credentials.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { ask, nameOf } from './asking.ts'

const SHA_256 = 1
const SHA_512 = 2

let cluster: Cluster

beforeEach(async () => {
  cluster = await createCluster({ brokers: 2 })
})

afterEach(() => cluster.close())

const upTo = (length: number) => Uint8Array.from({ length }, (_, i) => i)
const salt = new Uint8Array([1, 2, 3])

type User = readonly [name: string, mechanism: number, iterations?: number]

async function alter(deletions: readonly User[], upsertions: readonly User[], node = 1) {
  const body = {
    deletions: deletions.map(([name, mechanism]) => ({ name, mechanism })),
    upsertions: upsertions.map(([name, mechanism, iterations = 4096]) => ({
      name,
      mechanism,
      iterations,
      salt,
      saltedPassword: upTo(mechanism === SHA_512 ? 64 : 32),
    })),
  }
  const { results } = await ask(cluster, node, alterUserScramCredentials, body)
  return results.map(({ user, errorCode, errorMessage }) =>
    [user, nameOf(errorCode), ...(errorMessage === null ? [] : [errorMessage])].join(': '),
  )
}

async function described(names: readonly string[] | null, node = 2) {
  const body = { users: names?.map(name => ({ name })) ?? null }
  const { errorCode, errorMessage, results } = await ask(cluster, node, describeUserScramCredentials, body)
  expect([errorCode, errorMessage]).toEqual([0, ''])
  return results.map(result => {
    const { user, errorCode: code, errorMessage: message, credentialInfos } = result
    if (code !== 0) return [user, nameOf(code), message]
    expect(message).toBe('')
    return [user, ...credentialInfos.map(({ mechanism, iterations }) => [mechanism, iterations])]
  })
}

test('credentials that were given are told by every node, without what they are made of', async () => {
  expect(await described(null)).toEqual([])
  expect(
    await alter(
      [],
      [
        ['bob', SHA_512, 8192],
        ['alice', SHA_256, 16384],
      ],
    ),
  ).toEqual(['bob: NONE', 'alice: NONE'])
  expect(await alter([], [['bob', SHA_256]], 1000)).toEqual(['bob: NONE'])
  const everybody = [
    ['bob', [SHA_256, 4096], [SHA_512, 8192]],
    ['alice', [SHA_256, 16384]],
  ]
  for (const node of [1, 2, 1000]) {
    expect(await described(null, node)).toEqual(everybody)
    expect(await described([], node)).toEqual(everybody)
    expect(await described(['alice'], node)).toEqual([everybody[1]])
  }
})

test('what is kept are the keys that follow from the salted password (RFC 5802), as Kafka computes them', async () => {
  await alter([], [['u', SHA_256]])
  await alter([], [['u', SHA_512]])
  const credentials = cluster.broker(2).broker!.image.scramCredentials.of('u')
  const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')
  const sha256 = credentials.get(SHA_256)!
  expect([hex(sha256.salt), hex(sha256.storedKey), hex(sha256.serverKey), sha256.iterations]).toEqual([
    '010203',
    'e9cb7d524d0a37b9f58df5da526819cc1df9c66a3cffee4f4cf2502654f2a6c0',
    'd1905aa193a45c4f683bbbfa07d3bd2dcb180db624f2b2db739df1b3cd72e01a',
    4096,
  ])
  const sha512 = credentials.get(SHA_512)!
  expect(hex(sha512.storedKey)).toBe(
    'abf12b79129219421947550f0fda721e3e1eabc1ae3f52b16335d9392d7a64bad68a3404e85a7c71eba3fd5aeb4d5df8e627d22619ce2f77765d56078638c3bf',
  )
  expect(hex(sha512.serverKey)).toBe(
    'ef30dc248639541d2240dd9d46a855d4067c2848ce96b2f1102e7cbff1c8f016108798744416671f5529170c1c3b9aa79244dee888cc94a8d071564ff15ce344',
  )
})

test('a user’s last credential takes the user along', async () => {
  await alter([], [['bob', SHA_256]])
  await alter([], [['bob', SHA_512]])
  expect(await alter([['bob', SHA_256]], [])).toEqual(['bob: NONE'])
  expect(await described(null)).toEqual([['bob', [SHA_512, 4096]]])
  expect(await alter([['bob', SHA_512]], [])).toEqual(['bob: NONE'])
  expect(await described(null)).toEqual([])
})

test('who has none is RESOURCE_NOT_FOUND, and who is asked for twice DUPLICATE_RESOURCE', async () => {
  await alter([], [['alice', SHA_256]])
  const missing = 'Attempt to describe a user credential that does not exist: nobody'
  expect(await described(['nobody', 'alice'])).toEqual([
    ['nobody', 'RESOURCE_NOT_FOUND', missing],
    ['alice', [SHA_256, 4096]],
  ])
  const twice = 'Cannot describe SCRAM credentials for the same user twice in a single request: alice'
  expect(await described(['alice', 'alice'])).toEqual([['alice', 'DUPLICATE_RESOURCE', twice]])
})

test.each<[User, string]>([
  [['a', SHA_256, 4095], 'UNACCEPTABLE_CREDENTIAL: Too few iterations'],
  [['a', SHA_512, 4095], 'UNACCEPTABLE_CREDENTIAL: Too few iterations'],
  [['a', SHA_256, 16385], 'UNACCEPTABLE_CREDENTIAL: Too many iterations'],
  [['a', 0], 'UNSUPPORTED_SASL_MECHANISM: Unknown SCRAM mechanism'],
  [['a', 3], 'UNSUPPORTED_SASL_MECHANISM: Unknown SCRAM mechanism'],
  [['', SHA_256], 'UNACCEPTABLE_CREDENTIAL: Username must not be empty'],
])('a credential of %j is %s', async (user, message) => {
  expect(await alter([], [user, ['good', SHA_256]])).toEqual(['good: NONE', `${user[0]}: ${message}`])
  expect(await described(null)).toEqual([['good', [SHA_256, 4096]]])
})

test('what is not there cannot be taken away', async () => {
  await alter([], [['alice', SHA_256]])
  const missing = 'RESOURCE_NOT_FOUND: Attempt to delete a user credential that does not exist'
  expect(await alter([['nobody', SHA_256]], [])).toEqual([`nobody: ${missing}`])
  expect(await alter([['alice', SHA_512]], [])).toEqual([`alice: ${missing}`])
  const unknown = 'UNSUPPORTED_SASL_MECHANISM: Unknown SCRAM mechanism'
  expect(await alter([['alice', 9]], [])).toEqual([`alice: ${unknown}`])
  expect(
    await alter(
      [
        ['alice', 0],
        ['alice', 0],
      ],
      [],
    ),
  ).toEqual([`alice: ${unknown}`])
})

test('one of whom two things are asked gets neither', async () => {
  const twice = 'DUPLICATE_RESOURCE: A user credential cannot be altered twice in the same request'
  expect(
    await alter(
      [],
      [
        ['k', SHA_256],
        ['k', 0],
        ['l', SHA_256],
      ],
    ),
  ).toEqual([`k: ${twice}`, 'l: NONE'])
  expect(await alter([['l', SHA_256]], [['l', SHA_512]])).toEqual([`l: ${twice}`])
  const missing = 'RESOURCE_NOT_FOUND: Attempt to delete a user credential that does not exist'
  expect(await alter([['m', SHA_256]], [['m', SHA_512]])).toEqual([`m: ${missing}`])
  expect(await described(null)).toEqual([['l', [SHA_256, 4096]]])
})
