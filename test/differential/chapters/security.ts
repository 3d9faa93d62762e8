import { alterClientQuotas } from '../../../src/apis/alter-client-quotas.ts'
import { alterUserScramCredentials } from '../../../src/apis/alter-user-scram-credentials.ts'
import { createAcls } from '../../../src/apis/create-acls.ts'
import { createDelegationToken } from '../../../src/apis/create-delegation-token.ts'
import { deleteAcls } from '../../../src/apis/delete-acls.ts'
import { describeAcls } from '../../../src/apis/describe-acls.ts'
import { describeClientQuotas } from '../../../src/apis/describe-client-quotas.ts'
import { describeDelegationToken } from '../../../src/apis/describe-delegation-token.ts'
import { describeUserScramCredentials } from '../../../src/apis/describe-user-scram-credentials.ts'
import { expireDelegationToken } from '../../../src/apis/expire-delegation-token.ts'
import { renewDelegationToken } from '../../../src/apis/renew-delegation-token.ts'
import { CONTROLLER } from '../../scenarios/world.ts'
import type { Chapter, Play } from '../play.ts'

type Entity = readonly (readonly [type: string, name: string | null])[]
type Operation = readonly [key: string, value: number | null]

const entityOf = (entity: Entity) => entity.map(([entityType, entityName]) => ({ entityType, entityName }))
const quotas = (entity: Entity, operations: readonly Operation[], validateOnly = false) => ({
  entries: [
    {
      entity: entityOf(entity),
      ops: operations.map(([key, value]) => ({ key, value: value ?? 0, remove: value === null })),
    },
  ],
  validateOnly,
})

async function clientQuotas(play: Play): Promise<void> {
  const user: Entity = [['user', 'ann']]
  const changes: Readonly<Record<string, readonly [Entity, readonly Operation[]]>> = {
    'of a user': [user, [['producer_byte_rate', 1000.5]]],
    'of a client id': [[['client-id', 'c']], [['consumer_byte_rate', 2000]]],
    'of a client of a user': [
      [
        ['user', 'ann'],
        ['client-id', 'c'],
      ],
      [['request_percentage', 50]],
    ],
    'of all users': [[['user', null]], [['controller_mutation_rate', 3]]],
    'of a host': [[['ip', '127.0.0.1']], [['connection_creation_rate', 10]]],
    'of nobody': [[], [['producer_byte_rate', 1]]],
    'of nothing': [user, []],
    'of an unknown kind': [[['group', 'g']], [['producer_byte_rate', 1]]],
    'of a user without a name': [[['user', '']], [['producer_byte_rate', 1]]],
    'of a user twice': [
      [
        ['user', 'ann'],
        ['user', 'bob'],
      ],
      [['producer_byte_rate', 1]],
    ],
    'of a user and a host': [
      [
        ['user', 'ann'],
        ['ip', '127.0.0.1'],
      ],
      [['producer_byte_rate', 1]],
    ],
    'with an unknown key': [user, [['no_such_rate', 1]]],
    'with a negative rate': [user, [['producer_byte_rate', -1]]],
    'with a rate of 0': [user, [['producer_byte_rate', 0]]],
    'with half a byte': [user, [['producer_byte_rate', 0.5]]],
    'with a key of hosts for a user': [user, [['connection_creation_rate', 1]]],
    'with a key twice': [
      user,
      [
        ['producer_byte_rate', 1],
        ['producer_byte_rate', 2],
      ],
    ],
    'with half a connection': [[['ip', '127.0.0.1']], [['connection_creation_rate', 0.5]]],
    'of a host with a bad name': [[['ip', 'not a host']], [['connection_creation_rate', 1]]],
    'taken away where there is none': [[['user', 'nobody']], [['producer_byte_rate', null]]],
  }
  for (const [title, [entity, operations]] of Object.entries(changes)) {
    await play.every(title, alterClientQuotas, quotas(entity, operations))
    await play.every(`${title}, only checked`, alterClientQuotas, quotas(entity, operations, true))
  }
  await play.every('of none', alterClientQuotas, { entries: [], validateOnly: false })
  const twice = {
    entries: [
      ...quotas(user, [['producer_byte_rate', 5]]).entries,
      ...quotas(user, [['producer_byte_rate', 6]]).entries,
    ],
    validateOnly: false,
  }
  await play.every('of one twice', alterClientQuotas, twice)
  await play.every('at the controller', alterClientQuotas, quotas(user, [['producer_byte_rate', 7]]), {
    to: CONTROLLER,
  })
  const of = (components: [string, number, string?][], strict = false) => ({
    components: components.map(([entityType, matchType, match = null]) => ({ entityType, matchType, match })),
    strict,
  })
  await play.until('they are known', async () => {
    const { entries } = await play.request(describeClientQuotas, 1, of([['user', 0, 'ann']], true))
    return entries?.[0]?.values.some(({ value }) => value === 7) ?? false
  })
  const step = (title: string, ...asked: Parameters<typeof of>) => play.every(title, describeClientQuotas, of(...asked))
  await step('of a user', [['user', 0, 'ann']])
  await step('of a user alone', [['user', 0, 'ann']], true)
  await step('of all users', [['user', 1]])
  await step('of any user', [['user', 2]])
  await step('of anything', [])
  await step('of nothing but', [], true)
  await step('of an unknown user', [['user', 0, 'zoe']])
  await step('of an unknown kind', [['group', 0, 'g']])
  await step('of a kind without a name', [['', 0, 'g']])
  await step('of a kind twice', [
    ['user', 0, 'ann'],
    ['user', 0, 'bob'],
  ])
  await step('of a user and a host', [
    ['user', 2],
    ['ip', 2],
  ])
  await step('of an unknown match', [['user', 9, 'ann']])
  await step('of a default with a name', [['user', 1, 'ann']])
  await step('of a name without one', [['user', 0]])
  await withoutQuotas(play)
}

/** No step: a real broker goes by them, and lets this host in ten times a second only. */
async function withoutQuotas(play: Play): Promise<void> {
  const all = { components: [], strict: false }
  const { entries } = await play.request(describeClientQuotas, 1, all)
  const removed = entries!.map(({ entity, values }) => ({
    entity,
    ops: values.map(({ key }) => ({ key, value: 0, remove: true })),
  }))
  await play.request(alterClientQuotas, 1, { entries: removed, validateOnly: false })
  await play.until(
    'no quota is left',
    async () => (await play.request(describeClientQuotas, 1, all)).entries!.length === 0,
  )
}

async function scram(play: Play): Promise<void> {
  const bytes = (length: number) => Uint8Array.from({ length }, (_, i) => i)
  const up = (name: string, more: object = {}) => ({
    name,
    mechanism: 1,
    iterations: 4096,
    salt: bytes(8),
    saltedPassword: bytes(32),
    ...more,
  })
  const alter = (
    title: string,
    upsertions: ReturnType<typeof up>[],
    deletions: { name: string; mechanism: number }[] = [],
    options: object = {},
  ) => play.every(title, alterUserScramCredentials, { deletions, upsertions }, options)
  await alter('of a user', [up('ann')])
  await alter('of a user, of the longer kind', [up('ann', { mechanism: 2, saltedPassword: bytes(64) })])
  await alter('of two users', [up('bob'), up('cid')])
  await alter('of nobody', [])
  await alter('of a user without a name', [up('')])
  await alter('of an unknown mechanism', [up('ann', { mechanism: 9 })])
  await alter('of mechanism 0', [up('ann', { mechanism: 0 })])
  await alter('with too few iterations', [up('ann', { iterations: 4095 })])
  await alter('with too many iterations', [up('ann', { iterations: 16_385 })])
  await alter('without a password', [up('ann', { saltedPassword: bytes(0) })])
  await alter('without salt', [up('ann', { salt: bytes(0) })])
  await alter('of a user twice', [up('dan'), up('dan')])
  await alter('of a user given and taken', [up('ann')], [{ name: 'ann', mechanism: 1 }])
  await alter('of good and bad', [up('eve'), up('fay', { mechanism: 9 })])
  await alter('taken from nobody', [], [{ name: 'nobody', mechanism: 1 }])
  await alter('taken without a name', [], [{ name: '', mechanism: 1 }])
  await alter('taken, of an unknown mechanism', [], [{ name: 'ann', mechanism: 9 }])
  await alter('taken', [], [{ name: 'bob', mechanism: 1 }])
  await alter('of a user, at the controller', [up('gus')], [], { to: CONTROLLER })
  await play.until(
    'they are known',
    async () =>
      (await play.request(describeUserScramCredentials, 0, { users: [{ name: 'gus' }] })).results[0]!.errorCode === 0,
  )
  const of = (...names: string[]) => ({ users: names.map(name => ({ name })) })
  await play.every('of a user', describeUserScramCredentials, of('ann'))
  await play.every('of an unknown user', describeUserScramCredentials, of('nobody'))
  await play.every('of a user twice', describeUserScramCredentials, of('ann', 'ann'))
  await play.every('of a user without a name', describeUserScramCredentials, of(''))
  await play.every('of nobody', describeUserScramCredentials, of())
  await play.every('of all', describeUserScramCredentials, { users: null })
}

async function acls(play: Play): Promise<void> {
  const acl = {
    resourceType: 2,
    resourceName: 't',
    resourcePatternType: 3,
    principal: 'User:ann',
    host: '*',
    operation: 3,
    permissionType: 3,
  }
  const filter = {
    resourceTypeFilter: 2,
    resourceNameFilter: 't',
    patternTypeFilter: 3,
    principalFilter: null,
    hostFilter: null,
    operation: 1,
    permissionType: 1,
  }
  for (const to of [1, CONTROLLER]) {
    const by = to === 1 ? 'by a broker' : 'by the controller'
    await play.every(by, describeAcls, filter, { to })
    await play.every(by, createAcls, { creations: [acl] }, { to })
    await play.every(`${by}, of two`, createAcls, { creations: [acl, acl] }, { to })
    await play.every(`${by}, of none`, createAcls, { creations: [] }, { to })
    await play.every(`${by}, with a bad principal`, createAcls, { creations: [{ ...acl, principal: 'ann' }] }, { to })
    await play.every(by, deleteAcls, { filters: [filter] }, { to })
    await play.every(`${by}, of two`, deleteAcls, { filters: [filter, filter] }, { to })
    await play.every(`${by}, of none`, deleteAcls, { filters: [] }, { to })
  }
}

async function tokens(play: Play): Promise<void> {
  const owner = { principalType: 'User', principalName: 'ann' }
  const hmac = Uint8Array.of(1, 2, 3)
  const create = { renewers: [owner], maxLifetimeMs: -1, ownerPrincipalType: null, ownerPrincipalName: null }
  await play.every('by somebody', createDelegationToken, create)
  await play.every(
    'for somebody',
    createDelegationToken,
    { ...create, ownerPrincipalType: 'User', ownerPrincipalName: 'ann' },
    { from: 3 },
  )
  await play.every('renewed by a robot', createDelegationToken, {
    ...create,
    renewers: [{ principalType: 'Robot', principalName: 'r' }],
  })
  await play.every('by somebody, at the controller', createDelegationToken, create, { to: CONTROLLER })
  await play.every('by somebody', renewDelegationToken, { hmac, renewPeriodMs: 1000 })
  await play.every(
    'by somebody, at the controller',
    renewDelegationToken,
    { hmac, renewPeriodMs: 1000 },
    { to: CONTROLLER },
  )
  await play.every('by somebody', expireDelegationToken, { hmac, expiryTimePeriodMs: 1000 })
  await play.every('at once', expireDelegationToken, { hmac, expiryTimePeriodMs: -1 })
  await play.every(
    'by somebody, at the controller',
    expireDelegationToken,
    { hmac, expiryTimePeriodMs: 1000 },
    { to: CONTROLLER },
  )
  await play.every('of all', describeDelegationToken, { owners: null })
  await play.every('of one', describeDelegationToken, { owners: [owner] })
  await play.every('of nobody', describeDelegationToken, { owners: [] })
}

export const securityChapters: readonly Chapter[] = [
  { title: 'quotas', play: clientQuotas },
  { title: 'SCRAM credentials', play: scram },
  { title: 'ACLs without an authorizer', play: acls },
  { title: 'delegation tokens without a secret', play: tokens },
]
