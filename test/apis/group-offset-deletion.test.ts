import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { deleteGroups } from '../../src/apis/delete-groups.ts'
import { offsetDelete } from '../../src/apis/offset-delete.ts'
import type { Cluster } from '../../src/index.ts'
import { createCluster } from '../../src/index.ts'
import { ask, nameOf } from './asking.ts'
import { joinAsNew, stateOf, sync } from './classic-asking.ts'
import { commit, commitInTransaction, committed, endTransaction, keptOn } from './committing.ts'

let cluster: Cluster

beforeAll(async () => {
  cluster = await createCluster({ topics: { t: { partitions: 3 }, u: {}, ...keptOn(1, 2, 3) } })
})

afterAll(() => cluster.close())

/** The error of the request, then those of partitions in the order of the answer. */
async function remove(group: string, topics: Readonly<Record<string, readonly number[]>>, to = 1): Promise<unknown[]> {
  const asked = Object.entries(topics).map(([name, partitions]) => ({
    name,
    partitions: partitions.map(partitionIndex => ({ partitionIndex })),
  }))
  const answer = await ask(cluster, to, offsetDelete, { groupId: group, topics: asked })
  const rows = answer.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, errorCode }) => `${name}-${partitionIndex} ${nameOf(errorCode)}`),
  )
  return [nameOf(answer.errorCode), ...rows]
}

describe('OffsetDelete (G-35)', () => {
  test('makes an empty group forget; what it has not committed is no error, what nobody knows is one', async () => {
    await commit(cluster, 'g', { 't-0': 1, 't-1': 2, 'u-0': 3 })
    expect(await remove('g', { nope: [0], t: [5, 0, 2, 0] })).toEqual([
      'NONE',
      'nope-0 UNKNOWN_TOPIC_OR_PARTITION',
      't-5 UNKNOWN_TOPIC_OR_PARTITION',
      't-0 NONE',
      't-2 NONE',
      't-0 NONE',
    ])
    expect(await committed(cluster, 'g')).toEqual({ 't-1': [2, '', 'NONE'], 'u-0': [3, '', 'NONE'] })
    expect(await remove('g', { t: [1], u: [0] })).toEqual(['NONE', 't-1 NONE', 'u-0 NONE'])
    expect(await committed(cluster, 'g')).toEqual({})
    expect(await stateOf(cluster, 'g')).toBe('Empty')
  })

  test('refuses a whole group without a word about partitions: not there, no name, kept elsewhere (G-3)', async () => {
    expect(await remove('missing', { t: [0], nope: [0] })).toEqual(['GROUP_ID_NOT_FOUND'])
    expect(await remove('', { t: [0] })).toEqual(['INVALID_GROUP_ID'])
    expect(await remove('g', { t: [0] }, 2)).toEqual(['NOT_COORDINATOR'])
  })

  test('refuses topics that a member subscribes to, and takes the others of the group', async () => {
    const { memberId, generation } = await joinAsNew(cluster, 'members', { topics: ['t'], sessionMs: 1_800_000 })
    await sync(cluster, 'members', { memberId, generation, assignments: { [memberId]: 'all' } })
    await commit(cluster, 'members', { 't-0': 1, 'u-0': 2 }, { memberId, generation })
    expect(await remove('members', { t: [0, 1], u: [0] })).toEqual([
      'NONE',
      't-0 GROUP_SUBSCRIBED_TO_TOPIC',
      't-1 GROUP_SUBSCRIBED_TO_TOPIC',
      'u-0 NONE',
    ])
    expect(await committed(cluster, 'members')).toEqual({ 't-0': [1, '', 'NONE'] })
  })

  test('refuses members whose protocol says nothing of topics', async () => {
    await commit(cluster, 'connect', { 't-0': 1 })
    const { memberId, generation } = await joinAsNew(cluster, 'connect', {
      protocolType: 'connect',
      protocols: ['own'],
    })
    expect(await remove('connect', { t: [0] })).toEqual(['NON_EMPTY_GROUP'])
    const connector = { memberId, generation, protocolType: 'connect', protocol: 'own' }
    await sync(cluster, 'connect', { ...connector, assignments: { [memberId]: 'all' } })
    expect(await remove('connect', { t: [0] })).toEqual(['NON_EMPTY_GROUP'])
    await cluster.clock.advance(60_000)
    expect(await remove('connect', { t: [0] })).toEqual(['NONE', 't-0 NONE'])
  })
})

describe('offsets of a transaction (G-40)', () => {
  const unstable = [-1, '', 'UNSTABLE_OFFSET_COMMIT']
  const fetch = (group: string, requireStable = false) =>
    committed(cluster, group, { partitions: ['t-0', 't-1'], requireStable })

  test('are seen once it commits, where nothing was committed after them', async () => {
    await commitInTransaction(cluster, 'mixed', { 't-0': 5 }, 1)
    await commit(cluster, 'mixed', { 't-0': { offset: 3, metadata: 'p' }, 't-1': { offset: 3, metadata: 'p' } })
    await commitInTransaction(cluster, 'mixed', { 't-1': 5 }, 1)
    expect(await fetch('mixed')).toEqual({ 't-0': [3, 'p', 'NONE'], 't-1': [3, 'p', 'NONE'] })
    await endTransaction(cluster, 'mixed', 'COMMIT', 1)
    expect(await fetch('mixed')).toEqual({ 't-0': [3, 'p', 'NONE'], 't-1': [5, 't', 'NONE'] })
  })

  test('are dropped where it aborts', async () => {
    await commit(cluster, 'aborted', { 't-0': 3 })
    await commitInTransaction(cluster, 'aborted', { 't-0': 5, 't-1': 6 }, 2)
    await endTransaction(cluster, 'aborted', 'ABORT', 2)
    expect(await fetch('aborted', true)).toEqual({ 't-0': [3, '', 'NONE'], 't-1': [-1, '', 'NONE'] })
  })

  test('make their partitions unstable for whoever requires stable ones, until the last of them has ended (G-33)', async () => {
    await commitInTransaction(cluster, 'unstable', { 't-0': 5 }, 3)
    await commitInTransaction(cluster, 'unstable', { 't-0': 6 }, 4)
    expect(await fetch('unstable')).toEqual({ 't-0': [-1, '', 'NONE'], 't-1': [-1, '', 'NONE'] })
    expect(await fetch('unstable', true)).toEqual({ 't-0': unstable, 't-1': [-1, '', 'NONE'] })
    // Without a name only what is committed is answered.
    expect(await committed(cluster, 'unstable', { requireStable: true })).toEqual({})
    await endTransaction(cluster, 'unstable', 'COMMIT', 4)
    expect(await committed(cluster, 'unstable', { requireStable: true })).toEqual({ 't-0': unstable })
    await endTransaction(cluster, 'unstable', 'COMMIT', 3)
    // The later record wins, not the later marker.
    expect(await fetch('unstable', true)).toEqual({ 't-0': [6, 't', 'NONE'], 't-1': [-1, '', 'NONE'] })
  })

  test('go with their group, and with OffsetDelete: the marker then writes nothing (G-35)', async () => {
    await commitInTransaction(cluster, 'deleted', { 't-0': 5, 't-1': 6 }, 5)
    await commitInTransaction(cluster, 'other', { 't-0': 7 }, 5)
    expect(await remove('deleted', { t: [1] })).toEqual(['NONE', 't-1 NONE'])
    const answer = await ask(cluster, 1, deleteGroups, { groupsNames: ['deleted'] })
    expect(answer.results.map(({ errorCode }) => nameOf(errorCode))).toEqual(['NONE'])
    expect(await fetch('deleted', true)).toEqual({ 't-0': [-1, '', 'NONE'], 't-1': [-1, '', 'NONE'] })
    await endTransaction(cluster, 'deleted', 'COMMIT', 5)
    expect(await fetch('deleted')).toEqual({ 't-0': [-1, '', 'NONE'], 't-1': [-1, '', 'NONE'] })
    expect(await stateOf(cluster, 'deleted')).toBe('no group')
    expect(await fetch('other')).toEqual({ 't-0': [7, 't', 'NONE'], 't-1': [-1, '', 'NONE'] })
  })

  test('may come from a producer that knows nothing of the group, whatever its state (G-30)', async () => {
    const { memberId, generation } = await joinAsNew(cluster, 'busy')
    await commitInTransaction(cluster, 'busy', { 't-0': 5 }, 6)
    await sync(cluster, 'busy', { memberId, generation, assignments: { [memberId]: 'all' } })
    await commitInTransaction(cluster, 'busy', { 't-1': 6 }, 6)
    await endTransaction(cluster, 'busy', 'COMMIT', 6)
    expect(await fetch('busy')).toEqual({ 't-0': [5, 't', 'NONE'], 't-1': [6, 't', 'NONE'] })
  })
})
