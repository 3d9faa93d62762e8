import { expect } from 'vitest'
import { everywhere, type Stories } from './story.ts'

const TOPIC_ALREADY_EXISTS = 36
const UNKNOWN_TOPIC_OR_PARTITION = 3

export const adminStories: Stories = ({ can }) =>
  can.admin !== true
    ? []
    : [
        {
          column: 'admin',
          aspect: 'yes',
          title: 'creates, lists and deletes topics, and hears what is refused',
          places: everywhere,
          async tell({ driver, admin }) {
            const name = `made-${process.hrtime.bigint()}`
            const topic = { name, partitions: 3, replicationFactor: 3, configs: { 'retention.ms': '60000' } }
            await driver.ask('createTopics', { topics: [topic] })
            expect((await driver.ask('listTopics', {})).topics).toContain(name)
            const described = (await admin.describeTopics([name])).get(name)!
            expect(described.partitions.map(({ replicas }) => replicas.length)).toEqual([3, 3, 3])
            const resource = { type: 'topic', name } as const
            const [configs] = [...(await admin.describeConfigs([resource])).values()]
            expect(configs!.get('retention.ms')?.value).toBe('60000')

            const again = await driver.ask('createTopics', { topics: [topic] }).catch(error => error)
            expect(again).toMatchObject({ name: 'DriverError', code: expect.toBeOneOf([TOPIC_ALREADY_EXISTS, null]) })
            await driver.ask('deleteTopics', { topics: [name] })
            expect((await admin.listTopics()).map(each => each.name)).not.toContain(name)
            const gone = await driver.ask('deleteTopics', { topics: [name] }).catch(error => error)
            expect(gone).toMatchObject({
              name: 'DriverError',
              code: expect.toBeOneOf([UNKNOWN_TOPIC_OR_PARTITION, null]),
            })
          },
        },
      ]
