import { expect } from 'vitest'
import { protocols, Staff, textOf } from './group-clients.ts'
import { committed } from './group-offsets.ts'
import { story } from './story.ts'
import type { World } from './world.ts'

/** Partition by partition, as OffsetFetch says it. */
const offsets = ({ topic }: Staff, offset: number) =>
  [0, 1, 2, 3].map(partition => `${topic.name}-${partition}:${offset}`).join(' ')

const sorted = (values: readonly string[]) => [...values].sort()

/** One reads everything and commits; a second one takes over half of it, with nothing read twice or not at all. */
async function shares(world: World, protocol: keyof typeof protocols, diaryOf: (staff: Staff) => string[]) {
  await Staff.does(world, async staff => {
    const { group, topic, admin } = staff
    const before = await staff.produce('a')
    const first = staff.reader(protocols[protocol]).subscribe([topic.name])
    await staff.pollUntil('one reads everything', [first], () => first.read.length === before.length)
    expect(sorted(first.read)).toEqual(before)
    expect(first.has).toBe(staff.partitions(0, 1, 2, 3))
    await first.consumer.commit()
    expect(await committed(group)).toBe(offsets(staff, 3))

    const second = staff.reader(protocols[protocol]).subscribe([topic.name])
    const two = [first, second]
    const isShared = () => two.every(each => each.consumer.assignment().length === 2)
    await staff.pollUntil('they share the topic', two, isShared)
    expect(textOf(two.flatMap(each => each.consumer.assignment()))).toBe(staff.partitions(0, 1, 2, 3))
    expect(first.diary).toEqual(diaryOf(staff))

    const after = await staff.produce('b')
    const all = () => [...first.read, ...second.read]
    await staff.pollUntil('both read on', two, () => all().length >= before.length + after.length)
    expect(sorted(all())).toEqual([...before, ...after])
    for (const { consumer } of two) await consumer.commit()
    expect(await committed(group)).toBe(offsets(staff, 6))

    const described = (await admin.describeConsumerGroups([group.name])).get(group.name)!
    expect(described).toMatchObject({
      state: 'Stable',
      type: protocol === 'consumer' ? 'consumer' : 'classic',
      partitionAssignor: protocol === 'consumer' ? 'uniform' : protocol,
      coordinator: { id: group.coordinator },
      isSimpleConsumerGroup: false,
    })
    const assignments = described.members.map(({ assignment }) => textOf(assignment))
    expect(sorted(assignments)).toEqual(sorted(two.map(({ has }) => has)))
    expect(sorted(described.members.map(({ memberId }) => memberId))).toEqual(
      sorted(two.map(({ consumer }) => consumer.groupMetadata().memberId)),
    )

    await first.consumer.close()
    await staff.pollUntil('the second has all', [second], () => second.consumer.assignment().length === 4)
    await second.consumer.close()
    await world.eventually('the group is empty', async () => {
      return (await admin.describeConsumerGroups([group.name])).get(group.name)!.state === 'Empty'
    })
  })
}

story('our consumers share a topic by range: each rebalance takes everything and deals anew', async world => {
  await shares(world, 'range', staff => [
    `+ ${staff.partitions(0, 1, 2, 3)}`,
    `- ${staff.partitions(0, 1, 2, 3)}`,
    `+ ${staff.partitions(0, 1)}`,
  ])
})

story('our consumers share a topic by cooperative-sticky: who gives up keeps the rest', async world => {
  await shares(world, 'cooperative-sticky', staff => [
    `+ ${staff.partitions(0, 1, 2, 3)}`,
    `- ${staff.partitions(2, 3)}`,
    '+',
    '+',
  ])
})

story('our consumers share a topic by the consumer protocol: who gives up keeps the rest', async world => {
  await shares(world, 'consumer', staff => [`+ ${staff.partitions(0, 1, 2, 3)}`, `- ${staff.partitions(2, 3)}`, '+'])
})

story(
  'our classic consumers go over to the consumer protocol one by one, and nothing is read twice or not at all (G-58)',
  async world => {
    await Staff.does(world, async staff => {
      const { topic, group, admin } = staff
      const auto = { 'enable.auto.commit': true }
      const old = staff.reader({ ...protocols['cooperative-sticky'], ...auto }).subscribe([topic.name])
      const a = await staff.produce('a')
      await staff.pollUntil('the old one reads', [old], () => old.read.length === a.length)

      const fresh = staff.reader({ ...protocols.consumer, ...auto }).subscribe([topic.name])
      await staff.pollUntil('they share', [old, fresh], () =>
        [old, fresh].every(each => each.consumer.assignment().length === 2),
      )
      const described = (await admin.describeConsumerGroups([group.name])).get(group.name)!
      expect(described.type).toBe('consumer')
      expect(described.members.map(({ isUpgraded }) => isUpgraded).sort()).toEqual([false, true])
      const b = await staff.produce('b')
      const all = () => [...old.read, ...fresh.read]
      await staff.pollUntil('both read on', [old, fresh], () => all().length >= a.length + b.length)

      await old.consumer.close()
      await staff.pollUntil('the new one has all', [fresh], () => fresh.consumer.assignment().length === 4)
      const c = await staff.produce('c')
      await staff.pollUntil('it reads on', [fresh], () => all().length >= a.length + b.length + c.length)
      expect(sorted(all())).toEqual([...a, ...b, ...c])
      await fresh.consumer.close()
      expect(await committed(group)).toBe(offsets(staff, 9))
    })
  },
)

story('our consumers go on as the same members, and commit, when their coordinator is killed (G-2)', async world => {
  await Staff.does(
    world,
    async classic => {
      await Staff.does(
        world,
        async fresh => {
          const staffs = [classic, fresh]
          const readers = [classic.reader(protocols.range), fresh.reader(protocols.consumer)] as const
          for (const [i, reader] of readers.entries()) reader.subscribe([staffs[i]!.topic.name])
          for (const [i, staff] of staffs.entries()) {
            await staff.produce('a')
            await staff.pollUntil('it reads', readers, () => readers[i]!.read.length === 12)
            await readers[i]!.consumer.commit()
          }
          const who = readers.map(({ consumer }) => consumer.groupMetadata())
          await world.crash(classic.group.coordinator)
          if (world.witnesses.includes(fresh.group.coordinator)) await world.crash(fresh.group.coordinator)
          for (const [i, staff] of staffs.entries()) {
            await staff.group.find()
            await staff.produce('b')
            await staff.pollUntil('it reads on', readers, () => readers[i]!.read.length === 24)
            await readers[i]!.consumer.commit()
            expect(await committed(staff.group)).toBe(offsets(staff, 6))
          }
          expect(readers.map(({ consumer }) => consumer.groupMetadata())).toEqual(who)
          expect(readers.map(({ diary }) => diary.length)).toEqual([1, 1])
        },
        [
          [1, 2, 3],
          [2, 3, 1],
          [3, 1, 2],
          [1, 2, 3],
        ],
      )
    },
    [
      [1, 2, 3],
      [2, 3, 1],
      [3, 1, 2],
      [1, 2, 3],
    ],
  )
})

story(
  'a static consumer of ours that restarts has its partitions again, and nobody else notices (G-18, G-52)',
  async world => {
    for (const protocol of ['range', 'consumer'] as const) {
      await Staff.does(world, async staff => {
        const instance = { ...protocols[protocol], 'group.instance.id': 'i' }
        const old = staff.reader(instance).subscribe([staff.topic.name])
        const other = staff.reader(protocols[protocol]).subscribe([staff.topic.name])
        const shared = (...two: (typeof old)[]) => two.every(each => each.consumer.assignment().length === 2)
        await staff.pollUntil('they share', [old, other], () => shared(old, other))
        const [has, diary, before] = [old.has, [...other.diary], other.consumer.groupMetadata()]
        const oldId = old.consumer.groupMetadata().memberId
        await old.consumer.close()
        const back = staff.reader(instance).subscribe([staff.topic.name])
        await staff.pollUntil('it is back', [back, other], () => shared(back, other))
        expect(back.has).toBe(has)
        expect(back.consumer.groupMetadata().memberId).not.toBe(oldId)
        expect(other.diary).toEqual(diary)
        expect(other.consumer.groupMetadata()).toEqual(before)
      })
    }
  },
)

story('our consumers subscribe by pattern, the coordinator’s or their own (G-51)', async world => {
  await Staff.does(world, async staff => {
    const { name } = staff.topic
    const classic = staff
      .reader({ ...protocols.range, 'group.id': `${staff.group.name}-c` })
      .subscribe(new RegExp(`^${name}$`))
    const fresh = staff.reader(protocols.consumer).subscribe({ pattern: `${name.slice(0, 5)}.${name.slice(6)}` })
    const all = staff.partitions(0, 1, 2, 3)
    await staff.pollUntil('both have all', [classic, fresh], () => classic.has === all && fresh.has === all)
  })
})

story(
  'our admin client lists, moves, and deletes offsets and groups, and is told why not (G-30, G-35, G-41)',
  async world => {
    await Staff.does(world, async staff => {
      const { admin, group, topic } = staff
      const at = (partition: number, offset: number) => ({ topic: topic.name, partition, offset })
      await admin.alterConsumerGroupOffsets(group.name, [at(0, 2), { ...at(1, 3), metadata: 'moved' }])
      expect(await committed(group)).toBe(`${topic.name}-0:2 ${topic.name}-1:3(moved)`)
      expect(await admin.listConsumerGroupOffsets(group.name)).toMatchObject([
        at(0, 2),
        { ...at(1, 3), metadata: 'moved' },
      ])
      const listed = (await admin.listConsumerGroups()).find(({ groupId }) => groupId === group.name)
      expect(listed).toMatchObject({ type: 'classic', state: 'Empty', isSimpleConsumerGroup: true })

      await staff.produce('a')
      const reader = staff.reader(protocols.range).subscribe([topic.name])
      await staff.pollUntil('it reads from there', [reader], () => reader.read.length >= 7)
      expect(sorted(reader.read)).toEqual(['a0.2', 'a2.0', 'a2.1', 'a2.2', 'a3.0', 'a3.1', 'a3.2'])
      await expect(admin.alterConsumerGroupOffsets(group.name, [at(0, 0)])).rejects.toMatchObject({
        errorName: 'UNKNOWN_MEMBER_ID',
      })
      await expect(admin.deleteConsumerGroups([group.name])).rejects.toMatchObject({ errorName: 'NON_EMPTY_GROUP' })
      const zero = [{ topic: topic.name, partition: 0 }]
      await expect(admin.deleteConsumerGroupOffsets(group.name, zero)).rejects.toMatchObject({
        errorName: 'GROUP_SUBSCRIBED_TO_TOPIC',
      })
      await admin.removeMembersFromConsumerGroup(group.name)
      await group.untilState('Empty')
      await admin.deleteConsumerGroupOffsets(group.name, zero)
      expect(await committed(group)).toBe(`${topic.name}-1:3(moved)`)
      await admin.deleteConsumerGroups([group.name])
      await expect(admin.describeConsumerGroups([group.name])).rejects.toMatchObject({
        errorName: 'GROUP_ID_NOT_FOUND',
      })
    })
  },
)
