import { expect } from 'vitest'
import type { Member } from '../driver.ts'
import type { World } from '../world.ts'
import { everywhere, type Stories } from './story.ts'

const PARTITIONS = 4

async function write(world: World, topic: string, from: number, count: number): Promise<string[]> {
  const values = Array.from({ length: count }, (_, index) => `${from + index}`)
  const records = values.map((value, index) => ({
    topic,
    partition: (from + index) % PARTITIONS,
    key: null,
    value: Buffer.from(value).toString('base64'),
  }))
  await world.write(records, 'none')
  return values
}

const numerically = (values: readonly string[]) => [...values].sort((a, b) => Number(a) - Number(b))

export const groupStories: Stories = ({ can }) =>
  (can.groups ?? []).flatMap(protocol => [
    {
      column: 'groups',
      aspect: protocol,
      title: `two members of a ${protocol} group share the partitions; one leaves, the other takes over`,
      places: everywhere,
      async tell(world) {
        const topic = await world.topic('shared', { partitions: PARTITIONS })
        const group = `sharing-${topic}`
        const first = await world.join('first', group, protocol, topic)
        await world.until(() => first.partitions.length === 4, 'one member has all')
        const second = await world.join('second', group, protocol, topic)
        const both = () => [...first.partitions, ...second.partitions].sort()
        await world.until(
          () => first.partitions.length === 2 && second.partitions.length === 2,
          'two members have two partitions each',
        )
        expect(both()).toEqual([0, 1, 2, 3])
        const values = await write(world, topic, 0, 40)
        // Some clients also hand over what they had asked for before they were told to give a partition back.
        const hasItsOwn = ({ partitions, values: read }: Member) =>
          values.every((value, at) => !partitions.includes(at % PARTITIONS) || read.includes(value))
        await world.until(() => hasItsOwn(first) && hasItsOwn(second), 'both have read what is theirs')
        expect(numerically([...new Set([...first.values, ...second.values])])).toEqual(values)

        // Members of eager assignors all begin again at what is committed.
        for (const member of ['first', 'second']) await world.driver.ask('commit', { member })
        await world.driver.ask('leave', { member: 'second' })
        await world.until(() => first.partitions.length === 4, 'the one that stayed has all')
        const later = await write(world, topic, 40, 8)
        await world.until(() => later.every(value => first.values.includes(value)), 'the one that stayed reads all')
        await world.driver.ask('leave', { member: 'first' })
      },
    },
    {
      column: 'groups',
      aspect: protocol,
      title: `a member of a ${protocol} group begins where the one before it had committed`,
      places: everywhere,
      async tell(world) {
        const topic = await world.topic('committed', { partitions: PARTITIONS })
        const group = `committing-${topic}`
        const values = await write(world, topic, 0, 8)
        const before = await world.join('before', group, protocol, topic)
        await world.until(() => before.records.length >= 8, 'the first member has read all')
        expect(numerically(before.values)).toEqual(values)
        await world.driver.ask('commit', { member: 'before' })
        await world.driver.ask('leave', { member: 'before' })
        const later = await write(world, topic, 8, 4)
        const after = await world.join('after', group, protocol, topic)
        await world.until(() => after.records.length >= 4, 'the second member has read what was new')
        expect(numerically(after.values)).toEqual(later)
        await world.driver.ask('leave', { member: 'after' })
      },
    },
  ])
