/** What is typed wrong, and what is asked of the command itself: no process and no cluster is needed for it. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { commandsIn, complaint, run } from './examples.ts'

/** The one line, of a command that ends with 2. */
async function refusal(line: string): Promise<string> {
  const { code, output, errors } = await run(...line.split(' '))
  expect([code, output, errors.length]).toEqual([2, '', 1])
  return errors[0]!
}

describe('an unknown flag names the nearest one', () => {
  test.each([
    ['--brokrs 2', 'mini-kafka: unknown flag --brokrs: did you mean --brokers?'],
    ['--kafka-versoin=2.8', 'mini-kafka: unknown flag --kafka-versoin: did you mean --kafka-version?'],
    ['produce --topik orders', 'mini-kafka produce: unknown flag --topik: did you mean --topic?'],
    ['consume --from-begining', 'mini-kafka consume: unknown flag --from-begining: did you mean --from-beginning?'],
    [
      'consume -t orders',
      "mini-kafka consume: unknown flag -t: 'mini-kafka consume --help' lists those that there are",
    ],
  ])('%s', async (typed, line) => {
    expect(await refusal(typed)).toBe(line)
  })

  test.each([
    ['consume --max-messages 5', '--max-records'],
    ['consume --broker-list localhost:9092', '--bootstrap-server'],
    ['consume --consumer-property a=b', '--config'],
    ['produce --property parse.key=true', '--config'],
    ['produce --producer-property a=b', '--config'],
    ['produce --compression-codec gzip', '--compression'],
    ['produce --request-required-acks 1', '--acks'],
    ['--replication-factor 3', '--topic'],
  ])('%s, as another tool has it', async (typed, flag) => {
    expect(await refusal(typed)).toMatch(new RegExp(`: did you mean ${flag}\\?$`))
  })
})

test.each([
  ['prodcue --topic orders', "mini-kafka: unknown command 'prodcue': did you mean 'produce'?"],
  ['topics', "mini-kafka: unknown command 'topics': there are start, produce, consume"],
  // Who forgot a flag, or a sign, may have typed a password.
  ['bob:hunter2', "mini-kafka: unknown command 'bob…': there are start, produce, consume"],
  [
    '--sasl alice:secret bob:hunter2',
    "mini-kafka: 'bob…' belongs to no flag: 'mini-kafka --help' lists those that there are",
  ],
  [
    '--config ssl.key.password:hunter2',
    "mini-kafka: --config takes key=value, as in --config log.retention.ms=60000, not 'ssl.key.password…'",
  ],
  ['--brokers 1 produce', 'mini-kafka: the command comes first: mini-kafka produce, and then its flags'],
  [
    'consume orders',
    "mini-kafka consume: 'orders' belongs to no flag: 'mini-kafka consume --help' lists those that there are",
  ],
  ['--port', 'mini-kafka: --port takes a value: --port PORT'],
  ['--port --brokers 2', 'mini-kafka: --port takes a value: --port PORT'],
  ['--help=yes', "mini-kafka: --help takes no value: leave '=yes' out"],
  ['--port 1 --port 2', 'mini-kafka: --port is given twice: leave one out'],
  ['--brokers two', "mini-kafka: --brokers takes a whole number from 1 on, not 'two'"],
  ['--brokers 0', "mini-kafka: --brokers takes a whole number from 1 on, not '0'"],
  ['--brokers 1000', 'mini-kafka: brokers must be a whole number from 1 to 999, not 1000'],
  ['--port 65536', "mini-kafka: --port takes a whole number from 0 to 65535, not '65536'"],
  ['--port 65534', 'mini-kafka: listen: a port is a whole number from 0 (a free one) to 65535, not 65536'],
  [
    '--host localhost:9092',
    'mini-kafka: listen: host takes a name or an address, without a port, not "localhost:9092"',
  ],
  [
    '--config log.retention.ms',
    "mini-kafka: --config takes key=value, as in --config log.retention.ms=60000, not 'log.retention.ms'",
  ],
  [
    '--config log.retntion.ms=5',
    "mini-kafka: unknown broker config 'log.retntion.ms': did you mean 'log.retention.ms'?",
  ],
  ['produce', 'mini-kafka produce: --topic is needed, as in --topic orders'],
  ['produce --topic=', 'mini-kafka produce: --topic is needed, as in --topic orders'],
  ['produce --topic orders --acks 2', "mini-kafka produce: --acks is one of 0, 1, all, -1, not '2'"],
  [
    'produce --topic orders --bootstrap-server localhost',
    "mini-kafka produce: --bootstrap-server takes HOST:PORT,…, as in localhost:9092, not 'localhost'",
  ],
  [
    'produce --topic orders --bootstrap-server ,',
    "mini-kafka produce: --bootstrap-server takes HOST:PORT,…, as in localhost:9092, not ','",
  ],
  [
    'produce --topic orders --config lingr.ms=5',
    "mini-kafka produce: unknown producer config 'lingr.ms': did you mean 'linger.ms'?",
  ],
  [
    'produce --topic orders --config value.serializer=json',
    'mini-kafka produce: --config value.serializer has no place here: bytes are sent as they are',
  ],
  [
    'consume --topic orders --config group.id=g',
    'mini-kafka consume: --config group.id has no place here: use --group',
  ],
  ['consume --topic orders --group=', 'mini-kafka consume: --group takes a name, as in --group billing'],
  ['consume --topic orders --offset 5', 'mini-kafka consume: --offset is one of a partition: --partition 0 --offset 5'],
  [
    'consume --topic orders --partition 0 --offset last',
    "mini-kafka consume: --offset takes a whole number, beginning or end, not 'last'",
  ],
  [
    'consume --topic orders --partition 0 --offset 5 --from-beginning',
    'mini-kafka consume: --from-beginning and --offset do not go together: leave one out',
  ],
  [
    'consume --topic orders --json --format %v',
    'mini-kafka consume: --json and --format do not go together: leave one out',
  ],
])('%s', async (typed, line) => {
  expect(await refusal(typed)).toBe(line)
})

test('an unknown release names those that are known', async () => {
  expect(await refusal('--kafka-version 9')).toMatch(/--kafka-version takes one of 0\.11\.0, .*, 4\.3, not '9'$/)
})

describe('--help', () => {
  test.each([
    [['--help'], 'mini-kafka [start | produce | consume] [flags]', '--kafka-version RELEASE'],
    [['start', '-h'], 'mini-kafka [start | produce | consume] [flags]', '--seed N'],
    [['produce', '--help'], 'mini-kafka produce --topic NAME [flags]', '--key-separator TEXT'],
    [['consume', '--topic', 'orders', '-h'], 'mini-kafka consume --topic NAME [flags]', '--isolation-level LEVEL'],
  ])('%j', async (args, usage, flag) => {
    const { code, output, errors } = await run(...args)
    expect([code, errors]).toEqual([0, []])
    expect(output.split('\n')[0]).toBe(usage)
    expect(output).toContain(`  ${flag} `)
    expect(output).toContain('\nExamples:\n')
    expect(output.split('\n').filter(line => line.length > 120)).toEqual([])
  })

  test('has no example that the commands refuse', async () => {
    const texts = await Promise.all(['start', 'produce', 'consume'].map(async name => (await run(name, '-h')).output))
    const examples = texts.flatMap(text => commandsIn(text.slice(text.indexOf('\nExamples:'))))
    expect(examples.length).toBeGreaterThan(10)
    for (const example of examples) expect(await complaint(example), example.join(' ')).toBeUndefined()
  })
})

test('--version is the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  expect(await run('--version')).toEqual({ code: 0, output: `mini-kafka ${version}\n`, errors: [] })
  expect((await run('consume', '--version')).output).toBe(`mini-kafka ${version}\n`)
})
