import { expect } from 'vitest'
import type { BrokerHandle } from '../../../src/cluster/broker-handle.ts'
import type { World } from '../world.ts'
import { embeddedOnly, type Stories, type Story } from './story.ts'

const PARTITIONS = 4
/** Of each partition, before something happens and after. */
const ENOUGH = 10

const all = Array.from({ length: PARTITIONS }, (_, partition) => partition)
const partitionOf = (value: string) => Number(value.split(':')[0])
const numberOf = (value: string) => Number(value.split(':')[1])

/** A steady load, in the midst of which something happens to a leader; all that was acknowledged must be there. */
async function underLoad(
  world: World,
  topic: string,
  idempotent: boolean,
  happen: (leader: BrokerHandle) => Promise<unknown>,
): Promise<string[]> {
  const { driver } = world
  const producer = { acks: 'all', compression: 'none', idempotent } as const
  await driver.ask('start', { load: 'steady', producer, topic, partitions: PARTITIONS })
  const counts = () => {
    const found = all.map(() => 0)
    for (const value of driver.acknowledged('steady')) found[partitionOf(value)]!++
    return found
  }
  await world.until(() => counts().every(count => count >= ENOUGH), 'records of every partition are acknowledged')
  await happen(world.cluster.leaderOf(topic, 0))
  const before = counts()
  await world.until(
    () => counts().every((count, partition) => count >= before[partition]! + ENOUGH),
    'records of every partition are acknowledged again',
  )
  const { acknowledged } = await driver.ask('stop', { load: 'steady' })
  const stored = await world.records(topic, PARTITIONS, acknowledged.length)
  const lines = all.map(line =>
    stored.filter(({ partition }) => partition === line).map(({ value }) => Buffer.from(value!, 'base64').toString()),
  )
  const kept = new Set(lines.flat())
  expect(acknowledged.filter(value => !kept.has(value))).toEqual([])
  if (idempotent) {
    const numbers = lines.map(line => line.map(numberOf))
    expect(numbers.map(line => line.filter((number, at) => number <= (line[at - 1] ?? -1)))).toEqual(all.map(() => []))
  }
  return acknowledged
}

const kinds: readonly [aspect: string, what: string, happen: (leader: BrokerHandle) => Promise<unknown>][] = [
  ['crash', 'the leader crashes in mid-produce', leader => leader.crash()],
  [
    'restart',
    'the leader stops in mid-produce and is started again',
    async leader => {
      await leader.stop()
      await leader.restart()
    },
  ],
]

function produceStory(idempotent: boolean, [aspect, what, happen]: (typeof kinds)[number]): Story {
  const kept = idempotent ? 'lost, doubled or out of order' : 'lost'
  return {
    column: 'fail-over',
    aspect,
    title: `${what}: nothing that ${idempotent ? 'an idempotent producer' : 'a producer'} was told is written is ${kept}`,
    places: embeddedOnly,
    async tell(world) {
      const topic = await world.topic('steady', { partitions: PARTITIONS })
      await underLoad(world, topic, idempotent, happen)
    },
  }
}

export const failOverStories: Stories = ({ can }) => {
  if (can.load !== true) return []
  const stories = kinds.map(kind => produceStory(can.idempotent === true, kind))
  if (can.idempotent === true) stories.push(produceStory(false, kinds[0]!))
  for (const protocol of can.outliving ?? can.groups ?? []) {
    stories.push({
      column: 'fail-over',
      aspect: `${protocol} group`,
      title: `a member of a ${protocol} group reads all that was written, although the broker that coordinates the group crashes`,
      places: embeddedOnly,
      async tell(world) {
        const topic = await world.topic('read-on', { partitions: PARTITIONS })
        const group = `reading-${topic}`
        const member = await world.join('member', group, protocol, topic)
        await world.until(() => member.partitions.length === PARTITIONS, 'the member has all partitions')
        const written = await underLoad(world, topic, false, () => world.cluster.coordinatorOf({ group }).crash())
        const seen = () => new Set(member.values)
        await world.until(() => written.every(value => seen().has(value)), 'the member has read all')
        await world.driver.ask('commit', { member: 'member' })
        await world.driver.ask('leave', { member: 'member' })
      },
    })
  }
  return stories
}
