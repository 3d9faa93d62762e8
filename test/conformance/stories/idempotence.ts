import { expect } from 'vitest'
import { produce } from '../../../src/apis/produce.ts'
import { embeddedOnly, everywhere, type Stories } from './story.ts'

const producer = { acks: 'all', compression: 'none', idempotent: true } as const
const record = (topic: string, value: string) => ({
  topic,
  partition: 0,
  key: null,
  value: Buffer.from(value).toString('base64'),
})
const text = ({ value }: { value: string | null }) => Buffer.from(value!, 'base64').toString()

export const idempotenceStories: Stories = ({ can }) =>
  can.idempotent !== true
    ? []
    : [
        {
          column: 'idempotence',
          aspect: 'yes',
          title: 'an idempotent producer gets a producer id and numbers its batches',
          places: everywhere,
          async tell(world) {
            const topic = await world.topic('numbered')
            for (const value of ['a', 'b', 'c']) {
              await world.driver.ask('produce', { producer, records: [record(topic, value)] })
            }
            expect((await world.records(topic, 1, 3)).map(text)).toEqual(['a', 'b', 'c'])
            const states = (await world.admin.describeProducers([{ topic, partition: 0 }])).values().next().value!
            // A client that is a command is another producer each time.
            expect(states.reduce((sum, { lastSequence }) => sum + lastSequence + 1, 0)).toBe(3)
          },
        },
        {
          column: 'idempotence',
          aspect: 'yes',
          title: 'what an idempotent producer sends again, because an answer was lost, is stored once and in order',
          places: embeddedOnly,
          async tell(world) {
            const topic = await world.topic('once')
            await world.driver.ask('produce', { producer, records: [record(topic, 'first')] })
            const lost = world.cluster.failNext(produce, { topic, error: 'disconnect', when: 'after', times: 2 })
            const later = ['second', 'third', 'fourth']
            await world.driver.ask('produce', { producer, records: later.map(value => record(topic, value)) })
            await world.driver.ask('produce', { producer, records: [record(topic, 'fifth')] })
            expect(lost.hits).toBe(2)
            expect((await world.records(topic, 1, 5)).map(text)).toEqual(['first', ...later, 'fifth'])
          },
        },
      ]
