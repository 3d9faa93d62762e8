import type { createAcls } from '../../src/apis/create-acls.ts'
import {
  aclOperations,
  aclPatternTypes,
  aclPermissions,
  aclResourceTypes,
  CLUSTER_RESOURCE,
} from '../../src/metadata/acls.ts'
import type { RequestInput } from '../../src/wire/api.ts'

type Creation = RequestInput<typeof createAcls>['creations'][number]

interface Grant {
  readonly type: Exclude<keyof typeof aclResourceTypes, 'any'>
  readonly operation: Exclude<keyof typeof aclOperations, 'any'>
  readonly name: string
  readonly pattern?: 'literal' | 'prefixed'
  readonly permission?: 'allow' | 'deny'
  readonly host?: string
  readonly principal?: string
}

/** What is open begins so; what nobody was granted begins with `u-` (topics), `h-` (groups), `y-` (transactional ids). */
const OPEN = { topic: 't-', group: 'g-', transactionalId: 'x-' } as const

const open = (type: keyof typeof OPEN, operation: Grant['operation'], more: Partial<Grant> = {}): Grant => ({
  type,
  operation,
  name: OPEN[type],
  pattern: 'prefixed',
  ...more,
})
const cluster = (operation: Grant['operation'], more: Partial<Grant> = {}): Grant => ({
  type: 'cluster',
  operation,
  name: CLUSTER_RESOURCE,
  ...more,
})

/** For whom others may ask for delegation tokens. */
export const OWNED = 'owned'
const user = (operation: Grant['operation'], more: Partial<Grant> = {}): Grant => ({
  type: 'user',
  operation,
  name: `User:${OWNED}`,
  ...more,
})

const topicOperations = [
  'read',
  'write',
  'create',
  'delete',
  'alter',
  'describe',
  'describeConfigs',
  'alterConfigs',
  'all',
] as const
const groupOperations = ['read', 'delete', 'describe', 'describeConfigs', 'alterConfigs', 'all'] as const
const clusterOperations = [
  'create',
  'alter',
  'describe',
  'clusterAction',
  'describeConfigs',
  'alterConfigs',
  'idempotentWrite',
  'all',
] as const
const idOperations = ['write', 'describe', 'twoPhaseCommit', 'all'] as const

const single = (type: keyof typeof OPEN, operations: readonly Grant['operation'][]) =>
  operations.map(operation => [`${type}-${operation}`, [open(type, operation)]] as const)

/** Super user of both worlds. */
export const ROOT = 'root'
/** Whose ACL every subject has beside its own: `User:*` may describe what begins with `p-`. */
const everybody: readonly Grant[] = [
  { type: 'topic', operation: 'describe', name: 'p-', pattern: 'prefixed', principal: 'User:*' },
]

/** Who asks, by name, with what was granted to them. */
export const subjects: ReadonlyMap<string, readonly Grant[]> = new Map<string, readonly Grant[]>([
  [ROOT, []],
  ['nobody', []],
  ...single('topic', topicOperations),
  ...single('group', groupOperations),
  ...clusterOperations.map(operation => [`cluster-${operation}`, [cluster(operation)]] as const),
  ...single('transactionalId', idOperations),
  ['consumer', [open('topic', 'read'), open('group', 'read')]],
  ['group-reader-topic-describer', [open('topic', 'describe'), open('group', 'read')]],
  ['group-reader-topic-writer', [open('topic', 'write'), open('group', 'read')]],
  ['group-admin', [open('topic', 'all'), open('group', 'all')]],
  ['transactional-producer', [open('topic', 'write'), open('transactionalId', 'write')]],
  ['exactly-once', [open('topic', 'all'), open('transactionalId', 'write'), open('group', 'read')]],
  ['creator-describing', [open('topic', 'create'), open('topic', 'describeConfigs')]],
  ['deleter-blind', [open('topic', 'delete'), open('topic', 'describe', { permission: 'deny' })]],
  [
    'denied-read',
    [open('topic', 'all'), open('topic', 'read', { permission: 'deny', name: 't-open', pattern: 'literal' })],
  ],
  ['denied-write', [open('topic', 'all'), open('topic', 'write', { permission: 'deny' })]],
  ['denied-describe', [open('topic', 'all'), open('topic', 'describe', { permission: 'deny' })]],
  ['denied-all', [open('topic', 'all'), open('topic', 'all', { permission: 'deny', name: '*', pattern: 'literal' })]],
  [
    'denied-prefix',
    [open('topic', 'write', { name: 't-open', pattern: 'literal' }), open('topic', 'all', { permission: 'deny' })],
  ],
  ['denied-here', [open('topic', 'all'), open('topic', 'all', { permission: 'deny', host: '127.0.0.1' })]],
  ['denied-elsewhere', [open('topic', 'all'), open('topic', 'all', { permission: 'deny', host: '10.9.8.7' })]],
  ['allowed-here', [open('topic', 'all', { host: '127.0.0.1' }), open('group', 'all', { host: '127.0.0.1' })]],
  ['allowed-elsewhere', [open('topic', 'all', { host: '10.9.8.7' }), cluster('all', { host: '10.9.8.7' })]],
  ['any-topic', [open('topic', 'all', { name: '*', pattern: 'literal' })]],
  ['any-group', [open('group', 'all', { name: '*', pattern: 'literal' })]],
  ['any-transactional-id', [open('transactionalId', 'all', { name: '*', pattern: 'literal' })]],
  ['one-topic', [open('topic', 'write', { name: 't-open', pattern: 'literal' })]],
  ['cluster-described-topics-denied', [cluster('describe'), open('topic', 'describe', { permission: 'deny' })]],
  [
    'cluster-denied',
    [cluster('all'), cluster('describe', { permission: 'deny' }), cluster('alter', { permission: 'deny' })],
  ],
  ['tokens-create', [user('createTokens')]],
  ['tokens-describe', [user('describeTokens')]],
  ['tokens-prefixed', [user('createTokens', { name: 'User:own', pattern: 'prefixed' })]],
  ['tokens-without-type', [user('createTokens', { name: OWNED }), user('describeTokens', { name: OWNED })]],
  ['tokens-any-user', [user('all', { name: '*' })]],
  ['tokens-any-token', [{ type: 'delegationToken', operation: 'describe', name: '*' }]],
  ['tokens-renewer', []],
  [
    'tokens-denied',
    [
      user('all', { name: '*' }),
      user('createTokens', { permission: 'deny' }),
      user('describeTokens', { permission: 'deny' }),
    ],
  ],
])

const creation = (
  subject: string,
  { type, operation, name, pattern, permission, host, principal }: Grant,
): Creation => ({
  resourceType: aclResourceTypes[type],
  resourceName: name,
  resourcePatternType: aclPatternTypes[pattern ?? 'literal'],
  principal: principal ?? `User:${subject}`,
  host: host ?? '*',
  operation: aclOperations[operation],
  permissionType: aclPermissions[permission ?? 'allow'],
})

/** All of it, for CreateAcls. */
export function creations(): Creation[] {
  const own = [...subjects].flatMap(([subject, grants]) => grants.map(grant => creation(subject, grant)))
  return [...own, ...everybody.map(grant => creation('*', grant))]
}
