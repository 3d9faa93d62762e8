/** The cluster itself, its users and its quotas, asked by kafka-ts in every version. */
import { API, API_ERROR } from 'kafka-ts'
import { expect } from 'vitest'
import { apis } from '../../src/apis/registry.ts'
import { type Cases, KafkaTsWorld } from './kafka-ts-world.ts'

const TOPIC_RESOURCE = 2
const LITERAL = 3
const READ = 3
const ALLOW = 3
const ANY = 1
const SHA_256 = 1
const UPGRADE = 1
const SAFE_DOWNGRADE = 2
const EXACT = 0

const noDelegation = API_ERROR.DELEGATION_TOKEN_REQUEST_NOT_ALLOWED
const anyAcl = {
  resourceTypeFilter: ANY,
  resourceNameFilter: null,
  patternTypeFilter: ANY,
  principalFilter: null,
  hostFilter: null,
  operation: ANY,
  permissionType: ANY,
}

export const clusterCases: Cases = {
  async ApiVersions(world, version) {
    const software = { clientSoftwareName: 'kafka-ts', clientSoftwareVersion: '1.5.0' }
    const answer = await world.ask(API.API_VERSIONS, version, software)
    expect([answer.errorCode, answer.throttleTimeMs]).toEqual([0, 0])
    const ranges = answer.versions.map(({ apiKey, minVersion, maxVersion }) => [apiKey, minVersion, maxVersion])
    const advertised = apis.filter(api => api.broker !== undefined)
    expect(ranges.sort(([a], [b]) => a! - b!)).toEqual(
      advertised.map(({ key, advertised: { min, max } }) => [key, min, max]),
    )
  },

  async DescribeCluster(world, version) {
    const ask = { includeClusterAuthorizedOperations: false, endpointType: 1, includeFencedBrokers: true }
    const answer = await world.ask(API.DESCRIBE_CLUSTER, version, ask)
    expect(answer).toMatchObject({
      throttleTimeMs: 0,
      errorCode: 0,
      endpointType: 1,
      clusterAuthorizedOperations: -2147483648,
    })
    expect(answer.clusterId).toMatch(/^[\w-]{22}$/)
    expect(answer.controllerId).toBeOneOf([1, 2, 3])
    const brokers = [...answer.brokers].sort((a, b) => a.brokerId - b.brokerId)
    expect(brokers).toMatchObject(
      world.cluster.brokers.map(({ id, address }) => ({ brokerId: id, ...address, rack: null, isFenced: false })),
    )
  },

  async DescribeQuorum(world, version) {
    const topics = [{ topicName: '__cluster_metadata', partitions: [{ partitionIndex: 0 }] }]
    const answer = await world.ask(API.DESCRIBE_QUORUM, version, { topics })
    expect(answer.topics).toMatchObject([
      {
        topicName: '__cluster_metadata',
        partitions: [{ partitionIndex: 0, errorCode: 0, leaderId: 1000, leaderEpoch: 1 }],
      },
    ])
    const [partition] = answer.topics[0]!.partitions
    expect(partition!.highWatermark).toBeGreaterThan(0n)
    expect(partition!.currentVoters.map(({ replicaId }) => replicaId)).toEqual([1000])
    expect(partition!.observers.map(({ replicaId }) => replicaId)).toEqual([1, 2, 3])
    expect(answer.nodes).toMatchObject(version >= 2 ? [{ nodeId: 1000, listeners: [{ name: 'CONTROLLER' }] }] : [])
  },

  async UpdateFeatures(world, version) {
    const feature = 'transaction.version'
    const update = (maxVersionLevel: number, upgradeType: number) =>
      world.ask(API.UPDATE_FEATURES, version, {
        timeoutMs: 5_000,
        featureUpdates: [{ feature, maxVersionLevel, allowDowngrade: upgradeType === SAFE_DOWNGRADE, upgradeType }],
        validateOnly: false,
      })
    const done = { throttleTimeMs: 0, errorCode: 0, results: version < 2 ? [{ feature, errorCode: 0 }] : [] }
    expect(await update(1, SAFE_DOWNGRADE)).toMatchObject(done)
    expect(await update(2, UPGRADE)).toMatchObject(done)
    const unknown = {
      timeoutMs: 5_000,
      featureUpdates: [{ feature: 'no.such', maxVersionLevel: 1, upgradeType: UPGRADE }],
    }
    const refused = await world.refused(API.UPDATE_FEATURES, version, unknown)
    expect(refused.errorCode).toBe(API_ERROR.INVALID_UPDATE_VERSION)
  },

  async UnregisterBroker(_, version) {
    await using world = await KafkaTsWorld.start({ brokers: 2 })
    await world.cluster.broker(2).stop()
    expect(await world.ask(API.UNREGISTER_BROKER, version, { brokerId: 2 })).toMatchObject({
      throttleTimeMs: 0,
      errorCode: 0,
    })
    const again = await world.refused(API.UNREGISTER_BROKER, version, { brokerId: 2 })
    expect(again.errorCode).toBe(API_ERROR.BROKER_ID_NOT_REGISTERED)
  },

  async DescribeClientQuotas(world, version) {
    const entityName = world.name('alice')
    const entity = [{ entityType: 'user', entityName }]
    const ops = [
      { key: 'producer_byte_rate', value: 1_000, remove: false },
      { key: 'request_percentage', value: 0.5, remove: false },
    ]
    await world.ask(API.ALTER_CLIENT_QUOTAS, 1, { entries: [{ entity, ops }], validateOnly: false })
    const components = [{ entityType: 'user', matchType: EXACT, match: entityName }]
    const answer = await world.ask(API.DESCRIBE_CLIENT_QUOTAS, version, { components, strict: false }, 2)
    expect(answer).toMatchObject({ throttleTimeMs: 0, errorCode: 0, entries: [{ entity }] })
    const values = answer.entries[0]!.values.map(({ key, value }) => [key, value])
    expect(Object.fromEntries(values)).toEqual({ producer_byte_rate: 1_000, request_percentage: 0.5 })
  },

  async AlterClientQuotas(world, version) {
    const alter = (key: string, value: number) => ({
      entries: [{ entity: [{ entityType: 'client-id', entityName: 'shop' }], ops: [{ key, value, remove: false }] }],
      validateOnly: true,
    })
    expect(await world.ask(API.ALTER_CLIENT_QUOTAS, version, alter('request_percentage', 5.5))).toMatchObject({
      throttleTimeMs: 0,
      entries: [{ errorCode: 0, errorMessage: null, entity: [{ entityType: 'client-id', entityName: 'shop' }] }],
    })
    const refused = await world.refused(API.ALTER_CLIENT_QUOTAS, version, alter('no_such_rate', 1))
    expect(refused.errorCode).toBe(API_ERROR.INVALID_REQUEST)
  },

  async AlterUserScramCredentials(world, version) {
    const name = world.name('alice')
    const credential = { name, mechanism: SHA_256, salt: Buffer.from('salt'), saltedPassword: Buffer.alloc(32, 7) }
    const alter = (iterations: number) => ({ deletions: [], upsertions: [{ ...credential, iterations }] })
    expect(await world.ask(API.ALTER_USER_SCRAM_CREDENTIALS, version, alter(4_096))).toMatchObject({
      throttleTimeMs: 0,
      results: [{ user: name, errorCode: 0, errorMessage: null }],
    })
    const weak = await world.refused(API.ALTER_USER_SCRAM_CREDENTIALS, version, alter(1))
    expect(weak.errorCode).toBe(API_ERROR.UNACCEPTABLE_CREDENTIAL)
  },

  async DescribeUserScramCredentials(world, version) {
    const name = world.name('bob')
    const salted = { salt: Buffer.from('salt'), saltedPassword: Buffer.alloc(32, 7) }
    const upsertions = [{ name, mechanism: SHA_256, iterations: 8_192, ...salted }]
    await world.ask(API.ALTER_USER_SCRAM_CREDENTIALS, 0, { deletions: [], upsertions })
    const answer = await world.ask(API.DESCRIBE_USER_SCRAM_CREDENTIALS, version, { users: [{ name }] }, 2)
    expect(answer).toMatchObject({
      throttleTimeMs: 0,
      errorCode: 0,
      results: [{ user: name, errorCode: 0, credentialInfos: [{ mechanism: SHA_256, iterations: 8_192 }] }],
    })
  },

  async DescribeAcls(world, version) {
    const refused = await world.refused(API.DESCRIBE_ACLS, version, anyAcl)
    expect(refused).toMatchObject({
      errorCode: API_ERROR.SECURITY_DISABLED,
      response: { throttleTimeMs: 0, resources: [] },
    })
  },

  async CreateAcls(world, version) {
    const acl = {
      resourceType: TOPIC_RESOURCE,
      resourceName: 'orders',
      resourcePatternType: LITERAL,
      principal: 'User:alice',
      host: '*',
      operation: READ,
      permissionType: ALLOW,
    }
    const refused = await world.refused(API.CREATE_ACLS, version, { creations: [acl] })
    expect(refused.response).toMatchObject({
      throttleTimeMs: 0,
      results: [{ errorCode: API_ERROR.SECURITY_DISABLED, errorMessage: 'No Authorizer is configured.' }],
    })
  },

  async DeleteAcls(world, version) {
    const refused = await world.refused(API.DELETE_ACLS, version, { filters: [anyAcl] })
    expect(refused.response).toMatchObject({
      throttleTimeMs: 0,
      filterResults: [{ errorCode: API_ERROR.SECURITY_DISABLED, matchingAcls: [] }],
    })
  },

  async CreateDelegationToken(world, version) {
    const refused = await world.refused(API.CREATE_DELEGATION_TOKEN, version, { renewers: [], maxLifetimeMs: -1n })
    expect(refused).toMatchObject({
      errorCode: noDelegation,
      response: { principalType: 'User', principalName: 'ANONYMOUS', tokenId: '', issueTimestampMs: -1n },
    })
  },

  async RenewDelegationToken(world, version) {
    const ask = { hmac: Buffer.from('hmac'), renewPeriodMs: -1n }
    const refused = await world.refused(API.RENEW_DELEGATION_TOKEN, version, ask)
    expect(refused).toMatchObject({ errorCode: noDelegation, response: { expiryTimestampMs: -1n } })
  },

  async ExpireDelegationToken(world, version) {
    const ask = { hmac: Buffer.from('hmac'), expiryTimePeriodMs: -1n }
    const refused = await world.refused(API.EXPIRE_DELEGATION_TOKEN, version, ask)
    expect(refused).toMatchObject({ errorCode: noDelegation, response: { expiryTimestampMs: -1n } })
  },

  async DescribeDelegationToken(world, version) {
    const refused = await world.refused(API.DESCRIBE_DELEGATION_TOKEN, version, { owners: null })
    expect(refused).toMatchObject({ errorCode: noDelegation, response: { tokens: [] } })
  },

  async SaslHandshake(world, version) {
    const refused = await world.refused(API.SASL_HANDSHAKE, version, { mechanism: 'PLAIN' })
    expect(refused).toMatchObject({ errorCode: API_ERROR.ILLEGAL_SASL_STATE, response: { mechanisms: [] } })
  },

  async SaslAuthenticate(world, version) {
    const ask = { authBytes: Buffer.from('\0alice\0secret') }
    const refused = await world.refused(API.SASL_AUTHENTICATE, version, ask)
    expect(refused).toMatchObject({ errorCode: API_ERROR.ILLEGAL_SASL_STATE, response: { sessionLifetimeMs: 0n } })
  },
}
