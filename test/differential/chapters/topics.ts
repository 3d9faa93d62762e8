import { createPartitions } from '../../../src/apis/create-partitions.ts'
import { createTopics } from '../../../src/apis/create-topics.ts'
import { deleteTopics } from '../../../src/apis/delete-topics.ts'
import { describeTopicPartitions } from '../../../src/apis/describe-topic-partitions.ts'
import { metadata } from '../../../src/apis/metadata.ts'
import type { RequestInput } from '../../../src/wire/api.ts'
import { CONTROLLER } from '../../scenarios/world.ts'
import type { Chapter, Play } from '../play.ts'
import { BAD_NAMES, UNKNOWN_ID } from './bad-input.ts'

type NewTopic = RequestInput<typeof createTopics>['topics'][number]

const plain: NewTopic = { name: '', numPartitions: 1, replicationFactor: 1, assignments: [], configs: [] }
const assigned = (...lists: number[][]) => ({
  numPartitions: -1,
  replicationFactor: -1,
  assignments: lists.map((brokerIds, partitionIndex) => ({ partitionIndex, brokerIds })),
})

/** What cannot be made, or need not be, and with every version alike. */
const newTopics: Readonly<Record<string, Partial<NewTopic>>> = {
  'with defaults': { numPartitions: -1, replicationFactor: -1 },
  'of three partitions and replicas': { numPartitions: 3, replicationFactor: 3 },
  'of no partitions': { numPartitions: 0 },
  'of −2 partitions': { numPartitions: -2 },
  'of too many partitions': { numPartitions: 20_000 },
  'of no replicas': { replicationFactor: 0 },
  'of −2 replicas': { replicationFactor: -2 },
  'of four replicas': { replicationFactor: 4 },
  'of 32767 replicas': { replicationFactor: 32_767 },
  'placed by hand': assigned([1, 2], [2, 3], [3, 1]),
  'placed by hand, with counts too': { ...assigned([1]), numPartitions: 1, replicationFactor: 1 },
  'placed by hand, with a count of partitions': { ...assigned([1]), numPartitions: 1 },
  'placed on an unknown broker': assigned([1, 9]),
  'placed on a negative broker': assigned([-1]),
  'placed twice on one broker': assigned([1, 1]),
  'placed nowhere': assigned([]),
  'placed with lists of different lengths': assigned([1], [1, 2]),
  'placed with a gap': {
    ...assigned([1], [1]),
    assignments: [0, 2].map(partitionIndex => ({ partitionIndex, brokerIds: [1] })),
  },
  'placed without partition 0': {
    ...assigned([1]),
    assignments: [{ partitionIndex: 1, brokerIds: [1] }],
  },
  'placed twice': {
    ...assigned([1], [1]),
    assignments: [0, 0].map(partitionIndex => ({ partitionIndex, brokerIds: [1] })),
  },
  configured: {
    configs: [
      { name: 'retention.ms', value: '1000' },
      { name: 'cleanup.policy', value: 'compact,delete' },
    ],
  },
  'with an unknown configuration': { configs: [{ name: 'no.such.key', value: '1' }] },
  'with a configuration that is no number': { configs: [{ name: 'retention.ms', value: 'soon' }] },
  'with a configuration out of range': { configs: [{ name: 'min.insync.replicas', value: '0' }] },
  'with a configuration of no such choice': { configs: [{ name: 'cleanup.policy', value: 'burn' }] },
  'with an empty configuration': { configs: [{ name: 'retention.ms', value: '' }] },
  'with a nameless configuration': { configs: [{ name: '', value: '1' }] },
  'with a null configuration': { configs: [{ name: 'retention.ms', value: null }] },
  'with a configuration twice': {
    configs: [
      { name: 'retention.ms', value: '1' },
      { name: 'retention.ms', value: '2' },
    ],
  },
  'with a configuration that only brokers have': { configs: [{ name: 'log.dirs', value: '/' }] },
  'with tiered storage': { configs: [{ name: 'remote.storage.enable', value: 'true' }] },
  'with throttled replicas': { configs: [{ name: 'leader.replication.throttled.replicas', value: '0:1,1:x' }] },
}

async function creation(play: Play): Promise<void> {
  const of = (topic: NewTopic, more: object = {}) => ({ topics: [topic], timeoutMs: 20_000, ...more })
  for (const [what, topic] of Object.entries(newTopics)) {
    const slug = `new-${Object.keys(newTopics).indexOf(what)}`
    await play.every(what, createTopics, version => of({ ...plain, name: `${slug}-v${version}`, ...topic }))
    const checked = (version: number) =>
      of({ ...plain, name: `${slug}-checked-v${version}`, ...topic }, { validateOnly: true })
    await play.every(`${what}, only checked`, createTopics, checked, { from: 7 })
  }
  for (const [what, name] of Object.entries(BAD_NAMES))
    await play.every(`with a name that is ${what}`, createTopics, of({ ...plain, name }))
  await play.topic('there', [[1]])
  await play.every('that is there', createTopics, of({ ...plain, name: 'there' }))
  await play.every('that is there, only checked', createTopics, of({ ...plain, name: 'there' }, { validateOnly: true }))
  await play.topic('there.dotted', [[1]])
  await play.every('that collides in metrics', createTopics, of({ ...plain, name: 'there_dotted' }))
  await play.every('of Kafka itself', createTopics, of({ ...plain, name: '__cluster_metadata' }))
  await play.every('of nothing', createTopics, { topics: [], timeoutMs: 20_000 })
  await play.every('with no time', createTopics, version => ({
    ...of({ ...plain, name: `hurried-v${version}` }),
    timeoutMs: 0,
  }))
  await play.every('with negative time', createTopics, version => ({
    ...of({ ...plain, name: `late-v${version}` }),
    timeoutMs: -1,
  }))
  const twice = (version: number) => ({
    topics: [1, 2].map(() => ({ ...plain, name: `twice-v${version}` })),
    timeoutMs: 20_000,
  })
  await play.every('twice in a request', createTopics, twice)
  const mixed = (version: number) => ({
    topics: [
      { ...plain, name: `good-v${version}` },
      { ...plain, name: 'bad name' },
      { ...plain, name: 'there' },
    ],
    timeoutMs: 20_000,
  })
  await play.every('good and bad in a request', createTopics, mixed)
  await play.every('asked of the controller', createTopics, version => of({ ...plain, name: `direct-v${version}` }), {
    to: CONTROLLER,
  })
}

async function deletion(play: Play): Promise<void> {
  const of = (...names: string[]) => ({
    topicNames: names,
    topics: names.map(name => ({ name, topicId: 'AAAAAAAAAAAAAAAAAAAAAA' })),
    timeoutMs: 20_000,
  })
  for (let version = 1; version <= 6; version++) await play.topic(`gone-v${version}`, [[1, 2]])
  await play.every('of one that is there', deleteTopics, version => of(`gone-v${version}`))
  await play.every('of one that was deleted', deleteTopics, version => of(`gone-v${version}`))
  await play.every('of one that never was', deleteTopics, of('never-was'))
  for (const [what, name] of Object.entries(BAD_NAMES))
    await play.every(`of a name that is ${what}`, deleteTopics, of(name))
  await play.every('of nothing', deleteTopics, of())
  await play.every('twice the same', deleteTopics, of('never-was', 'never-was'))
  await play.every('with no time', deleteTopics, { ...of('never-was'), timeoutMs: 0 })
  await play.every('at the controller', deleteTopics, of('never-was'), { to: CONTROLLER })
  const id = await play.topic('by-id', [[1]])
  const zero = 'AAAAAAAAAAAAAAAAAAAAAA'
  const byId = (title: string, ...topics: { name: string | null; topicId: string }[]) =>
    play.every(title, deleteTopics, { topicNames: [], topics, timeoutMs: 20_000 }, { from: 6 })
  await byId('by an unknown id', { name: null, topicId: UNKNOWN_ID })
  await byId('by neither name nor id', { name: null, topicId: zero })
  await byId('by name and id', { name: 'by-id', topicId: id })
  await byId('by the same id twice', { name: null, topicId: id }, { name: null, topicId: id })
  await byId('by name and by id', { name: 'by-id', topicId: zero }, { name: null, topicId: id })
  await byId('by id', { name: null, topicId: id })
  await byId('by a deleted id', { name: null, topicId: id })
}

async function partitions(play: Play): Promise<void> {
  const of = (name: string, count: number, assignments: number[][] | null = null, more: object = {}) => ({
    topics: [{ name, count, assignments: assignments?.map(brokerIds => ({ brokerIds })) ?? null }],
    timeoutMs: 20_000,
    validateOnly: false,
    ...more,
  })
  for (let version = 0; version <= 3; version++) await play.topic(`grows-v${version}`, [[1]])
  await play.every('one more', createPartitions, version => of(`grows-v${version}`, 2))
  await play.every('one more, placed by hand', createPartitions, version => of(`grows-v${version}`, 3, [[2]]))
  const checked = (version: number) => of(`grows-v${version}`, 9, null, { validateOnly: true })
  await play.every('more, only checked', createPartitions, checked)
  await play.every('as many as there are', createPartitions, version => of(`grows-v${version}`, 3))
  await play.every('fewer', createPartitions, version => of(`grows-v${version}`, 1))
  await play.every('none', createPartitions, version => of(`grows-v${version}`, 0))
  await play.every('a negative count', createPartitions, version => of(`grows-v${version}`, -1))
  await play.every('too few lists', createPartitions, version => of(`grows-v${version}`, 6, [[1]]))
  await play.every('too many lists', createPartitions, version => of(`grows-v${version}`, 4, [[1], [2]]))
  await play.every('lists of another length', createPartitions, version => of(`grows-v${version}`, 4, [[1, 2]]))
  await play.every('on an unknown broker', createPartitions, version => of(`grows-v${version}`, 4, [[9]]))
  await play.every('on one broker twice', createPartitions, version => of(`grows-v${version}`, 4, [[1, 1]]))
  await play.every('an empty list', createPartitions, version => of(`grows-v${version}`, 4, [[]]))
  await play.every('no lists', createPartitions, version => of(`grows-v${version}`, 4, []))
  await play.every('of an unknown topic', createPartitions, of('never-was', 4))
  await play.every('of a topic with a bad name', createPartitions, of('bad name', 4))
  await play.every('of nothing', createPartitions, { topics: [], timeoutMs: 20_000, validateOnly: false })
  const twice = { ...of('grows-v0', 9), topics: [...of('grows-v0', 9).topics, ...of('grows-v0', 9).topics] }
  await play.every('of a topic twice', createPartitions, twice)
  await play.every('with no time', createPartitions, version => of(`grows-v${version}`, 5, null, { timeoutMs: 0 }))
  await play.every('at the controller', createPartitions, version => of(`grows-v${version}`, 6), { to: CONTROLLER })
}

async function description(play: Play): Promise<void> {
  const id = await play.topic('described', [
    [1, 2, 3],
    [2, 3, 1],
    [3, 1, 2],
  ])
  const of = (topics: readonly { name: string | null; topicId?: string }[] | null, more: object = {}) => ({
    topics,
    allowAutoTopicCreation: false,
    includeClusterAuthorizedOperations: false,
    includeTopicAuthorizedOperations: false,
    ...more,
  })
  for (const to of [1, 2]) await play.every(`of a topic, by ${to}`, metadata, of([{ name: 'described' }]), { to })
  const operations = { includeTopicAuthorizedOperations: true, includeClusterAuthorizedOperations: true }
  await play.every('of a topic, with operations', metadata, of([{ name: 'described' }], operations), { from: 8 })
  await play.every('of no topic', metadata, of([]), { from: 1 })
  await play.every('of an unknown topic', metadata, of([{ name: 'never-was' }]), { from: 4 })
  await play.every('of a topic twice', metadata, of([{ name: 'described' }, { name: 'described' }]))
  for (const [what, name] of Object.entries(BAD_NAMES))
    await play.every(`of a name that is ${what}`, metadata, of([{ name }]))
  await play.every('of a topic by id', metadata, of([{ name: null, topicId: id }]), { from: 12 })
  await play.every('of a topic by id, with its name', metadata, of([{ name: 'described', topicId: id }]), { from: 10 })
  await play.every('of a topic by id, with another name', metadata, of([{ name: 'other', topicId: id }]), { from: 10 })
  await play.every('of neither name nor id', metadata, of([{ name: null }]), { from: 12 })
  await play.every('of a topic by an unknown id', metadata, of([{ name: null, topicId: UNKNOWN_ID }]), { from: 12 })
  await play.every('by id and by name', metadata, of([{ name: null, topicId: id }, { name: 'described' }]), {
    from: 12,
  })
  const made = (version: number) => of([{ name: `made-by-v${version}` }], { allowAutoTopicCreation: true })
  await play.every('of a topic that it makes', metadata, made)
  await play.every(
    'of a bad name that it would make',
    metadata,
    of([{ name: 'bad name' }], { allowAutoTopicCreation: true }),
  )
  for (let version = 0; version <= 13; version++) await play.ready(`made-by-v${version}`, 1)
  const where = ['leaderId', 'replicaNodes', 'isrNodes']
  await play.every('of the topic that it made', metadata, made, { blur: where })
}

async function pages(play: Play): Promise<void> {
  await play.topic('paged', [
    [1, 2, 3],
    [2, 3, 1],
    [3, 1, 2],
    [1, 3, 2],
  ])
  await play.topic('paged-too', [[2], [3]])
  const of = (names: string[], more: object = {}) => ({ topics: names.map(name => ({ name })), ...more })
  const page = (title: string, body: RequestInput<typeof describeTopicPartitions>) =>
    play.every(title, describeTopicPartitions, body)
  await page('of two', of(['paged', 'paged-too']))
  await page('of two, in another order', of(['paged-too', 'paged']))
  await page('of one twice', of(['paged', 'paged']))
  await page('of one with a bad name', of(['bad name', 'paged']))
  for (const [what, name] of Object.entries(BAD_NAMES)) await page(`of a name that is ${what}`, of([name]))
  await page('of an unknown one', of(['never-was', 'paged']))
  for (const limit of [1, 3, 4, 5, 0, -1])
    await page(`with a limit of ${limit}`, of(['paged', 'paged-too'], { responsePartitionLimit: limit }))
  const from = (topicName: string, partitionIndex: number, more: object = {}) =>
    of(['paged', 'paged-too'], { cursor: { topicName, partitionIndex }, ...more })
  await page('from a cursor', from('paged', 2))
  await page('from a cursor with a limit', from('paged', 1, { responsePartitionLimit: 2 }))
  await page('from a cursor behind the last partition', from('paged', 9))
  await page('from a cursor at the next topic', from('paged-too', 0))
  await page('from a cursor between topics', from('paged-in-between', 0))
  await page('from a cursor behind all', from('zzz', 0))
  await page('from a negative cursor', from('paged', -1))
  await page('from a cursor without a name', from('', 0))
}

export const topicChapters: readonly Chapter[] = [
  { title: 'topics are created', play: creation },
  { title: 'topics are deleted', play: deletion },
  { title: 'partitions are added', play: partitions },
  { title: 'topics are described', play: description },
  { title: 'topics are described page by page', play: pages },
]
