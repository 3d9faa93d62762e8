import { expect, test } from 'vitest'
import { topicArgument, topicArguments } from '../../src/command-line/topic-argument.ts'

const form = 'NAME:PARTITIONS:REPLICAS[:key=value,…], as in orders:3:3:min.insync.replicas=2'

test('a topic is a name, then partitions, replicas and configuration, from the right on left out', () => {
  expect(topicArgument('orders')).toEqual({ name: 'orders', spec: {} })
  expect(topicArgument('orders:6')).toEqual({ name: 'orders', spec: { partitions: 6 } })
  expect(topicArgument('orders:6:3')).toEqual({ name: 'orders', spec: { partitions: 6, replicationFactor: 3 } })
  expect(topicArgument('orders:6:3:min.insync.replicas=2,retention.ms=5')).toEqual({
    name: 'orders',
    spec: { partitions: 6, replicationFactor: 3, configs: { 'min.insync.replicas': '2', 'retention.ms': '5' } },
  })
})

test('a value may have commas, colons and equals signs of its own', () => {
  expect(topicArgument('a:1:1:cleanup.policy=compact,delete,x=1:2,y=a=b').spec.configs).toEqual({
    'cleanup.policy': 'compact,delete',
    x: '1:2',
    y: 'a=b',
  })
})

test.each([
  [':1:1', `--topic ':1:1' has no name: it is ${form}`],
  ['', `--topic '' has no name: it is ${form}`],
  [
    'orders:x',
    "--topic 'orders:x': PARTITIONS is a whole number from 1 on, not 'x'; as in orders:3:3:min.insync.replicas=2",
  ],
  [
    'orders:1:0',
    "--topic 'orders:1:0': REPLICAS is a whole number from 1 on, not '0'; as in orders:3:3:min.insync.replicas=2",
  ],
  [
    'orders::2',
    "--topic 'orders::2': PARTITIONS is a whole number from 1 on, not ''; as in orders:3:3:min.insync.replicas=2",
  ],
  [
    'orders:1:1:compact',
    "--topic 'orders:1:1:compact': a configuration is key=value, not 'compact'; as in orders:3:3:min.insync.replicas=2",
  ],
  [
    'orders:1:1:',
    "--topic 'orders:1:1:': a configuration is key=value, not ''; as in orders:3:3:min.insync.replicas=2",
  ],
  [
    'orders:1:1:a=1,=2',
    "--topic 'orders:1:1:a=1,=2': a configuration is key=value, not '=2'; as in orders:3:3:min.insync.replicas=2",
  ],
  ['orders:1:4', "--topic 'orders:1:4': 4 replicas need as many brokers, and there are 3 brokers: --brokers 4"],
])('%j is refused, and it says how it is written', (text, line) => {
  expect(() => topicArguments([text], 3)).toThrow(expect.objectContaining({ name: 'UsageError', message: line }))
})

test('a topic that is named twice is refused', () => {
  expect(() => topicArguments(['a:1', 'b', 'a:2'], 1)).toThrow('--topic a is given twice: leave one out')
})
