/** Apache Kafka's own command-line tools, as the oracle's release has them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import '../setup.ts'
import { Admin } from '../../src/client/clients.ts'
import { readClient, whyNotInstalled } from './client.ts'
import { type Said, startTool, type ToolName, tool } from './java-tool.ts'
import { type Place, type PlaceName, places } from './place.ts'

const missing = whyNotInstalled(readClient('java'))

/** A file that a tool reads. */
function file(content: object): string {
  const folder = mkdtempSync(join(tmpdir(), 'mini-kafka-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'wanted.json')
  writeFileSync(path, JSON.stringify(content))
  return path
}

test.runIf(missing !== undefined && process.env.CI === 'true')('the tools are there', () => {
  expect(missing).toBeUndefined()
})

describe.skipIf(missing !== undefined).each(Object.keys(places) as PlaceName[])('tools of Apache Kafka, %s', name => {
  let place: Place
  beforeAll(async () => {
    place = await places[name]()
    return async () => {
      await place.end()
      expect(place.disorder).toEqual([])
    }
  })

  /** Each run takes a second: through the command line those that people start daily. */
  const embeddedTest = test.runIf(name === 'embedded')
  const run = (which: ToolName, ...args: string[]) => tool(which, place.bootstrapServers, args)
  const feed = (stdin: string, which: ToolName, ...args: string[]) => tool(which, place.bootstrapServers, args, stdin)
  const succeeded = (lines: Said['lines']) => ({ code: 0, lines, errors: '' })

  async function createTopic(topic: string, partitions = 3): Promise<void> {
    await using admin = new Admin({ 'bootstrap.servers': place.bootstrapServers })
    const configs = { 'min.insync.replicas': 2 }
    await admin.createTopics([{ name: topic, partitions, replicationFactor: 3, configs }])
  }

  test('kafka-topics creates, describes, alters, lists and deletes topics', async () => {
    const wanted = ['--topic', 'made', '--partitions', '2', '--replication-factor', '3']
    expect(await run('kafka-topics', '--create', ...wanted, '--config', 'retention.ms=60000')).toEqual(
      succeeded(['Created topic made.']),
    )
    const again = await run('kafka-topics', '--create', ...wanted)
    expect([again.code, again.lines[0]]).toEqual([
      1,
      "Error while executing topic command : Topic 'made' already exists.",
    ])
    expect(await run('kafka-topics', '--alter', '--topic', 'made', '--partitions', '3')).toEqual(succeeded([]))
    const { lines } = await run('kafka-topics', '--describe', '--topic', 'made')
    expect(lines[0]).toMatch(
      /^Topic: made\tTopicId: \S{22}\tPartitionCount: 3\tReplicationFactor: 3\tConfigs: .*retention\.ms=60000/,
    )
    expect(lines.slice(1).map(line => line.split('\t')[2])).toEqual(['Partition: 0', 'Partition: 1', 'Partition: 2'])
    const described = /\tLeader: (\d)\tReplicas: (\1,\d,\d)\tIsr: \2\tElr: \tLastKnownElr:$/
    expect(lines.slice(1)).toSatisfyAll((line: string) => described.test(line))
    expect(await run('kafka-topics', '--delete', '--topic', 'made')).toEqual(succeeded([]))
    expect((await run('kafka-topics', '--list')).lines).not.toContain('made')
  })

  const alter = async (type: string, entity: string, configs: string) => {
    const which = ['--entity-type', type, '--entity-name', entity]
    return (await run('kafka-configs', '--alter', ...which, '--add-config', configs)).lines
  }
  const describeConfigs = async (type: string, entity: string) =>
    (await run('kafka-configs', '--describe', '--entity-type', type, '--entity-name', entity)).lines

  embeddedTest.each([
    ['topic', 'configured', 'max.message.bytes=2000', 'DYNAMIC_TOPIC_CONFIG'],
    ['broker', '1', 'log.cleaner.threads=2', 'DYNAMIC_BROKER_CONFIG'],
    ['group', 'billing', 'consumer.session.timeout.ms=50000', 'DYNAMIC_GROUP_CONFIG'],
  ])('kafka-configs alters and describes a %s', async (type, entity, configs, source) => {
    if (type === 'topic') await createTopic(entity)
    expect(await alter(`${type}s`, entity, configs)).toEqual([`Completed updating config for ${type} ${entity}.`])
    const dynamic = expect.stringContaining(`  ${configs} sensitive=false synonyms={${source}:${configs}`)
    expect(await describeConfigs(`${type}s`, entity)).toContainEqual(dynamic)
  })

  embeddedTest('kafka-configs alters and describes client quotas and users', async () => {
    expect(await alter('clients', 'shop', 'producer_byte_rate=1024')).toEqual([
      'Completed updating config for client shop.',
    ])
    expect(await describeConfigs('clients', 'shop')).toEqual([
      "Quota configs for client-id 'shop' are producer_byte_rate=1024.0",
    ])
    const secret = 'SCRAM-SHA-256=[iterations=4096,password=secret]'
    expect(await alter('users', 'alice', secret)).toEqual(['Completed updating config for user alice.'])
    expect(await describeConfigs('users', 'alice')).toEqual([
      "SCRAM credential configs for user-principal 'alice' are SCRAM-SHA-256=iterations=4096",
    ])
  })

  test('what kafka-console-producer writes, kafka-console-consumer reads, in groups of both protocols', async () => {
    await createTopic('console')
    const parse = ['--reader-property', 'parse.key=true', '--reader-property', 'parse.headers=true']
    const written = 'source:shop\tk1\tpaid\nsource:shop\tk2\tsent\nsource:shop\tk3\tclosed\n'
    const produce = ['--topic', 'console', '--compression-codec', 'zstd', ...parse]
    expect(await feed(written, 'kafka-console-producer', ...produce)).toEqual(succeeded([]))

    const printed = ['key', 'headers', 'partition', 'offset'].flatMap(each => [
      '--formatter-property',
      `print.${each}=true`,
    ])
    const read = (protocol: string) =>
      run(
        'kafka-console-consumer',
        ...['--topic', 'console', '--from-beginning', '--max-messages', '3', '--timeout-ms', '20000', ...printed],
        ...['--group', `reading-${protocol}`, '--command-property', `group.protocol=${protocol}`],
      )
    const [classic, consumer] = await Promise.all([read('classic'), read('consumer')])
    const records = ({ lines }: Said) => lines.filter(line => line.startsWith('Partition:')).sort()
    // Kafka's default partitioner, on 3 partitions.
    expect(records(classic)).toEqual([
      'Partition:0\tOffset:0\tsource:shop\tk2\tsent',
      'Partition:1\tOffset:0\tsource:shop\tk3\tclosed',
      'Partition:2\tOffset:0\tsource:shop\tk1\tpaid',
    ])
    expect(records(consumer)).toEqual(records(classic))

    const groups = await run('kafka-groups', '--list')
    expect(groups.lines.map(line => line.split(/ +/))).toEqual(
      expect.arrayContaining([
        ['reading-classic', 'Classic', 'consumer'],
        ['reading-consumer', 'Consumer', 'consumer'],
      ]),
    )
  })

  test('kafka-consumer-groups describes, resets and deletes what a group has committed', async () => {
    await createTopic('grouped', 1)
    await feed('a\nb\nc\n', 'kafka-console-producer', '--topic', 'grouped')
    const group = ['--group', 'resetting']
    const read = ['--topic', 'grouped', '--from-beginning', '--max-messages', '2', '--timeout-ms', '20000']
    await run('kafka-console-consumer', ...read, ...group)
    const offsets = async () => {
      const { lines } = await run('kafka-consumer-groups', '--describe', ...group)
      return lines.find(line => line.startsWith('resetting'))?.split(/ +/)
    }
    expect(await offsets()).toEqual(['resetting', 'grouped', '0', '2', '3', '1', '-', '-', '-'])
    const back = ['--reset-offsets', '--topic', 'grouped', '--to-earliest', '--execute']
    const { lines: reset } = await run('kafka-consumer-groups', ...group, ...back)
    expect(reset[1]!.split(/ +/)).toEqual(['resetting', 'grouped', '0', '0'])
    expect(await offsets()).toEqual(['resetting', 'grouped', '0', '0', '3', '3', '-', '-', '-'])
    expect((await run('kafka-consumer-groups', '--delete', ...group)).lines).toEqual([
      "Deletion of requested consumer groups ('resetting') was successful.",
    ])
  })

  embeddedTest(
    'kafka-get-offsets, kafka-delete-records and kafka-log-dirs tell and move the ends of a log',
    async () => {
      await createTopic('ends', 1)
      await feed('a\nb\nc\n', 'kafka-console-producer', '--topic', 'ends')
      const partitions = [{ topic: 'ends', partition: 0, offset: 2 }]
      const deleted = await run('kafka-delete-records', '--offset-json-file', file({ partitions, version: 1 }))
      expect(deleted.lines.at(-1)).toBe('partition: ends-0\tlow_watermark: 2')
      const [latest, earliest, folders] = await Promise.all([
        run('kafka-get-offsets', '--topic', 'ends'),
        run('kafka-get-offsets', '--topic', 'ends', '--time', 'earliest'),
        run('kafka-log-dirs', '--describe', '--topic-list', 'ends'),
      ])
      expect([latest.lines, earliest.lines]).toEqual([['ends:0:3'], ['ends:0:2']])
      const { brokers } = JSON.parse(folders.lines.at(-1)!)
      expect(brokers).toHaveLength(3)
      const partition = { partition: 'ends-0', offsetLag: 0, isFuture: false, size: expect.any(Number) }
      expect(brokers[0].logDirs[0]).toMatchObject({ error: null, partitions: [partition] })
    },
  )

  embeddedTest(
    'kafka-reassign-partitions moves replicas, kafka-leader-election gives preferred ones the lead',
    async () => {
      await createTopic('moved', 1)
      const partitions = [{ topic: 'moved', partition: 0, replicas: [3, 2] }]
      const plan = ['--reassignment-json-file', file({ version: 1, partitions })]
      const begun = await run('kafka-reassign-partitions', ...plan, '--execute')
      expect(begun.lines.at(-1)).toBe('Successfully started partition reassignment for moved-0')
      await expect
        .poll(async () => (await run('kafka-reassign-partitions', ...plan, '--verify')).lines, { timeout: 30_000 })
        .toContain('Reassignment of partition moved-0 is completed.')
      const elect = ['--election-type', 'preferred', '--topic', 'moved', '--partition', '0']
      expect((await run('kafka-leader-election', ...elect)).code).toBe(0)
      const { lines } = await run('kafka-topics', '--describe', '--topic', 'moved')
      expect(lines[1]).toContain('\tLeader: 3\tReplicas: 3,2\t')
    },
  )

  embeddedTest(
    'kafka-cluster, kafka-metadata-quorum, kafka-features and kafka-broker-api-versions describe the cluster',
    async () => {
      const [cluster, quorum, features, versions] = await Promise.all([
        run('kafka-cluster', 'list-endpoints'),
        run('kafka-metadata-quorum', 'describe', '--status'),
        run('kafka-features', 'describe'),
        run('kafka-broker-api-versions'),
      ])
      const endpoints = cluster.lines.slice(1).map(line => line.split(/ +/))
      expect(endpoints.map(([id, host, , , state]) => [id, host, state])).toEqual(
        ['1', '2', '3'].map(id => [id, '127.0.0.1', 'unfenced']),
      )
      const status = quorum.lines.map(line => line.replace(/: +/, ': '))
      expect(status).toContain('LeaderId: 1000')
      expect(status).toContain('CurrentObservers: [{"id": 1}, {"id": 2}, {"id": 3}]')
      expect(features.lines.join('\n')).toMatch(/Feature: metadata\.version .*FinalizedVersionLevel: 4\.3-IV0/)
      expect(versions.lines.join('\n')).toMatch(/Produce\(0\): 0 to 13 \[usable: 13\]/)
    },
  )

  embeddedTest('kafka-acls and kafka-delegation-tokens are refused as by a broker without security', async () => {
    const [acls, tokens] = await Promise.all([
      run('kafka-acls', '--list'),
      run('kafka-delegation-tokens', '--describe', '--command-config', '/dev/null'),
    ])
    expect(`${acls.lines}${acls.errors}`).toContain('No Authorizer is configured on the broker')
    expect(`${tokens.lines}${tokens.errors}`).toContain('Delegation Token requests are not allowed on PLAINTEXT')
  })

  test.runIf(name === 'embedded')(
    'what kafka-verifiable-producer was told is written survives its leader',
    async () => {
      await createTopic('verified', 1)
      const cluster = place.cluster!
      const producing = startTool('kafka-verifiable-producer', place.bootstrapServers, [
        ...['--topic', 'verified', '--acks', '-1', '--throughput', '200', '--max-messages', '1000'],
      ])
      const acknowledged: string[] = []
      let crash: Promise<unknown> | undefined
      for await (const line of createInterface({ input: producing.stdout })) {
        const event = JSON.parse(line)
        if (event.name === 'producer_send_success') acknowledged.push(event.value)
        if (acknowledged.length >= 200) crash ??= cluster.leaderOf('verified', 0).crash()
      }
      await crash
      const stored = new Set((await cluster.topic('verified').records({ as: 'text' })).map(({ value }) => value))
      expect(acknowledged.length).toBeGreaterThan(900)
      expect(acknowledged.filter(value => !stored.has(value))).toEqual([])
    },
  )
})
