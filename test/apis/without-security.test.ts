import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createAcls } from '../../src/apis/create-acls.ts'
import { createDelegationToken } from '../../src/apis/create-delegation-token.ts'
import { deleteAcls } from '../../src/apis/delete-acls.ts'
import { describeAcls } from '../../src/apis/describe-acls.ts'
import { describeDelegationToken } from '../../src/apis/describe-delegation-token.ts'
import { expireDelegationToken } from '../../src/apis/expire-delegation-token.ts'
import { renewDelegationToken } from '../../src/apis/renew-delegation-token.ts'
import { saslAuthenticate } from '../../src/apis/sasl-authenticate.ts'
import { saslHandshake } from '../../src/apis/sasl-handshake.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { ask, nameOf } from './asking.ts'

let cluster: Cluster

beforeAll(async () => {
  cluster = await createCluster({ brokers: 1 })
})

afterAll(() => cluster.close())

const nodes = [
  ['a broker', 1],
  ['the controller', 1000],
] as const

const any = {
  resourceTypeFilter: 1,
  resourceNameFilter: null,
  patternTypeFilter: 1,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1,
}
const allowed = {
  resourceType: 2,
  resourceName: 'orders',
  resourcePatternType: 3,
  principal: 'User:alice',
  host: '*',
  operation: 3,
  permissionType: 3,
}
const disabled = { errorCode: 54, errorMessage: 'No Authorizer is configured.' }

describe.each(nodes)('%s without an authorizer', (_, node) => {
  test.each([1, 2, 3])('DescribeAcls v%i is SECURITY_DISABLED as a whole', async version => {
    expect(await ask(cluster, node, describeAcls, any, version)).toEqual({
      throttleTimeMs: 0,
      errorCode: 54,
      errorMessage: 'No Authorizer is configured on the broker',
      resources: [],
    })
  })

  test('CreateAcls is SECURITY_DISABLED for each, whatever it says; nothing asked, nothing answered', async () => {
    const creations = [allowed, { ...allowed, resourceName: '' }, { ...allowed, operation: 1 }]
    expect((await ask(cluster, node, createAcls, { creations })).results).toEqual([disabled, disabled, disabled])
    expect((await ask(cluster, node, createAcls, { creations: [allowed] }, 1)).results).toEqual([disabled])
    expect((await ask(cluster, node, createAcls, { creations: [] })).results).toEqual([])
  })

  test('DeleteAcls is SECURITY_DISABLED for each filter', async () => {
    const { filterResults } = await ask(cluster, node, deleteAcls, { filters: [any, any] })
    expect(filterResults).toEqual([
      { ...disabled, matchingAcls: [] },
      { ...disabled, matchingAcls: [] },
    ])
    expect((await ask(cluster, node, deleteAcls, { filters: [] })).filterResults).toEqual([])
  })

  test('an unknown resource type, over which Kafka closes the connection, is SECURITY_DISABLED too', async () => {
    const unknown = { ...any, resourceTypeFilter: 0 }
    expect(nameOf((await ask(cluster, node, describeAcls, unknown)).errorCode)).toBe('SECURITY_DISABLED')
    expect((await ask(cluster, node, deleteAcls, { filters: [unknown] })).filterResults).toMatchObject([disabled])
  })
})

describe.each(nodes)('%s whose clients do not authenticate', (_, node) => {
  const hmac = new Uint8Array([1, 2])
  const create = { renewers: [], maxLifetimeMs: -1 }

  test('gives no delegation token: it would be one for User:ANONYMOUS', async () => {
    const refused = {
      errorCode: 64,
      principalType: 'User',
      principalName: 'ANONYMOUS',
      issueTimestampMs: -1,
      expiryTimestampMs: -1,
      maxTimestampMs: -1,
      tokenId: '',
      throttleTimeMs: 0,
    }
    const requester = { tokenRequesterPrincipalType: 'User', tokenRequesterPrincipalName: 'ANONYMOUS' }
    for (const version of [1, 2]) {
      expect(await ask(cluster, node, createDelegationToken, create, version)).toMatchObject(refused)
    }
    const noOwner = { ...create, ownerPrincipalType: null, ownerPrincipalName: null }
    expect(await ask(cluster, node, createDelegationToken, noOwner)).toMatchObject({ ...refused, ...requester })
    const owner = { ...create, ownerPrincipalType: 'User', ownerPrincipalName: 'bob' }
    expect(await ask(cluster, node, createDelegationToken, owner)).toMatchObject({
      ...refused,
      ...requester,
      principalName: 'bob',
    })
  })

  test('prolongs, ends and tells none', async () => {
    const refused = { errorCode: 64, expiryTimestampMs: -1, throttleTimeMs: 0 }
    for (const version of [1, 2]) {
      expect(await ask(cluster, node, renewDelegationToken, { hmac, renewPeriodMs: -1 }, version)).toEqual(refused)
      expect(await ask(cluster, node, expireDelegationToken, { hmac, expiryTimePeriodMs: -1 }, version)).toEqual(
        refused,
      )
    }
    for (const owners of [null, [], [{ principalType: 'User', principalName: 'bob' }]]) {
      expect(await ask(cluster, node, describeDelegationToken, { owners })).toEqual({
        errorCode: 64,
        tokens: [],
        throttleTimeMs: 0,
      })
    }
  })

  test('takes no handshake, and the connection goes on', async () => {
    for (const version of [0, 1]) {
      for (const mechanism of ['PLAIN', 'GSSAPI', '']) {
        expect(await ask(cluster, node, saslHandshake, { mechanism }, version)).toEqual({
          errorCode: 34,
          mechanisms: [],
        })
      }
    }
    const authBytes = new TextEncoder().encode('\0alice\0secret')
    for (const version of [0, 1, 2]) {
      expect(await ask(cluster, node, saslAuthenticate, { authBytes }, version)).toMatchObject({
        errorCode: 34,
        errorMessage: 'SaslAuthenticate request received after successful authentication',
        sessionLifetimeMs: 0,
      })
    }
  })
})
