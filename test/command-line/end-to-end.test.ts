/** What a user of the installed command line does, in processes of their own (the doors' tests build the package). */
import { createServer, type Server } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { Project } from '../doors/project.ts'
import { serversOf, Typed } from './typed.ts'

// Every command is a process of its own.
vi.setConfig({ testTimeout: 30_000 })

let project: Project
const running = new Set<Typed>()

beforeAll(() => {
  project = new Project()
}, 60_000)
afterEach(() => {
  for (const { process } of running) if (process.exitCode === null) process.kill('SIGKILL')
  running.clear()
})
afterAll(() => project.remove())

function typed(args: string, input?: string | Buffer): Typed {
  const command = new Typed(project, args.split(' '), input)
  running.add(command)
  return command
}

async function cluster(flags = '--topic orders:3:3'): Promise<{ started: Typed; at: string; servers: string }> {
  const started = typed(`--port 0 ${flags}`)
  const servers = await serversOf(started)
  return { started, servers, at: `--topic orders --bootstrap-server ${servers}` }
}

const sorted = (lines: readonly string[]) => [...lines].sort()

test('keyed lines piped into produce are read by consume --from-beginning, and SIGINT ends both servers and reader with 0', async () => {
  const { started, servers, at } = await cluster()
  expect(started.output).toMatch(/^bootstrap\.servers=(?:127\.0\.0\.1:\d+,){2}127\.0\.0\.1:\d+\n$/)
  expect(servers.split(',')).toHaveLength(3)

  const keyed = 'ORDER-1001:placed\nORDER-1002:placed\nORDER-1001:paid\nORDER-1001:sent: 3 parcels\n'
  const producing = typed(`produce ${at} --key-separator :`, keyed)
  expect([await producing.ended(), producing.output, producing.errors]).toEqual([0, '', ''])

  const consuming = typed(`consume ${at} --from-beginning --key-separator :`)
  const lines = await consuming.printed(4)
  expect(sorted(lines)).toEqual(sorted(keyed.trimEnd().split('\n')))
  expect(lines.filter(line => line.startsWith('ORDER-1001'))).toEqual([
    'ORDER-1001:placed',
    'ORDER-1001:paid',
    'ORDER-1001:sent: 3 parcels',
  ])
  expect([await consuming.interrupt(), consuming.errors]).toEqual([0, ''])
  expect([await started.interrupt(), started.errors]).toEqual([0, ''])
})

test('SIGTERM ends the cluster with 0 as well, and its ports are free again', async () => {
  const { started, servers } = await cluster('--brokers 1')
  const port = servers.split(':')[1]!
  expect(await started.interrupt('SIGTERM')).toBe(0)
  const again = typed(`--brokers 1 --port ${port}`)
  expect(await serversOf(again)).toBe(`127.0.0.1:${port}`)
})

test('a reader that waits prints what comes later, headers and places included', async () => {
  const { at } = await cluster('--brokers 1 --topic orders:1:1')
  const format = String.raw`--format %t-%p@%o_%k=%v_[%h]\n`
  const consuming = typed(`consume ${at} --from-beginning ${format}`)
  const producing = typed(`produce ${at} --header source=shop --header kind=b2b --null - --key-separator = --verbose`)
  producing.process.stdin!.write('A=1\r\nA')
  await consuming.printed(1)
  producing.process.stdin!.end('=-')
  expect(await producing.ended()).toBe(0)
  expect(producing.lines).toEqual(['orders-0@0', 'orders-0@1'])
  expect(await consuming.printed(2)).toEqual([
    'orders-0@0_A=1_[source=shop,kind=b2b]',
    'orders-0@1_A=null_[source=shop,kind=b2b]',
  ])
})

describe('a group', () => {
  test('goes on behind what was printed, not behind what was read', async () => {
    const { at } = await cluster('--brokers 1 --topic orders:1:1')
    expect(await typed(`produce ${at}`, 'a\nb\nc\nd\n').ended()).toBe(0)
    const group = `consume ${at} --group billing --from-beginning`
    const first = typed(`${group} --max-records 3 --config max.poll.records=2`)
    expect([await first.ended(), first.lines]).toEqual([0, ['a', 'b', 'c']])
    const second = typed(`${group} --max-records 2 --timeout-ms 1000`)
    expect(await second.ended()).toBe(1)
    expect(second.lines).toEqual(['d'])
    expect(second.errors).toBe('mini-kafka consume: 1 of 2 records came, and then none for 1000 ms\n')
    const third = typed(`${group} --timeout-ms 1000`)
    expect([await third.ended(), third.lines]).toEqual([0, []])
  })

  test('keeps what SIGINT interrupted: the next member begins behind it', async () => {
    const { at } = await cluster('--brokers 1 --topic orders:1:1')
    await typed(`produce ${at}`, 'a\nb\n').ended()
    const first = typed(`consume ${at} --group billing --from-beginning`)
    await first.printed(2)
    expect([await first.interrupt(), first.errors]).toEqual([0, ''])
    await typed(`produce ${at}`, 'c\n').ended()
    const second = typed(`consume ${at} --group billing --from-beginning --max-records 1`)
    expect([await second.ended(), second.lines]).toEqual([0, ['c']])
  })
})

test('where to begin: a partition, an offset, the end, so many before the end', async () => {
  const { at } = await cluster('--brokers 1 --topic orders:2:1')
  await typed(`produce ${at} --partition 1`, 'a\nb\nc\n').ended()
  const read = async (flags: string) => {
    const command = typed(`consume ${at} --timeout-ms 400 ${flags}`)
    await command.ended()
    return command.lines.join('')
  }
  const flags = [
    '--partition 1 --offset 1',
    '--partition 1 --offset -1',
    '--partition 1 --offset -9',
    '--partition 1 --offset beginning',
    '--partition 1 --offset end',
    '--partition 0 --from-beginning',
    '--from-beginning',
    '--partition 1',
  ]
  expect(await Promise.all(flags.map(read))).toEqual(['bc', 'c', 'abc', 'abc', '', '', 'abc', ''])
})

test('bytes go through as they are, in lines of a megabyte too, whatever the codec', async () => {
  const { at } = await cluster('--brokers 1 --topic orders:1:1 --config message.max.bytes=3000000')
  const long = 'x'.repeat(1_000_000)
  for (const codec of ['none', 'gzip', 'zstd']) {
    const producing = typed(`produce ${at} --compression ${codec} --config max.request.size=3000000`, `${long}\nÜ 🦆\n`)
    expect([await producing.ended(), producing.errors]).toEqual([0, ''])
  }
  const latin = typed(`produce ${at} --acks 1`, Buffer.from([0xfc, 0x0a]))
  expect(await latin.ended()).toBe(0)
  const text = typed(`consume ${at} --from-beginning --max-records 6`)
  expect(await text.ended()).toBe(0)
  expect(text.lines).toEqual([long, 'Ü 🦆', long, 'Ü 🦆', long, 'Ü 🦆'])
  const json = typed(`consume ${at} --json --partition 0 --offset 6 --max-records 1`)
  expect(await json.ended()).toBe(0)
  expect(JSON.parse(json.output)).toMatchObject({
    topic: 'orders',
    partition: 0,
    offset: 6,
    timestampType: 'CreateTime',
    key: null,
    value: { base64: '/A==' },
    headers: [],
  })
})

test('many lines at once arrive, each once and in order', async () => {
  const { at } = await cluster('--topic orders:1:3')
  const lines = Array.from({ length: 30_000 }, (_, i) => `line ${i}`)
  expect(await typed(`produce ${at}`, `${lines.join('\n')}\n`).ended()).toBe(0)
  const consuming = typed(`consume ${at} --from-beginning --max-records 30000`)
  expect(await consuming.ended()).toBe(0)
  expect(consuming.lines).toEqual(lines)
})

test('whoever reads the output may go: consume ends with 0, and the cluster goes on', async () => {
  const { started, at } = await cluster('--brokers 1 --topic orders:1:1')
  started.process.stdout!.destroy()
  const consuming = typed(`consume ${at} --from-beginning`)
  await typed(`produce ${at}`, 'a\n').ended()
  await consuming.printed(1)
  consuming.process.stdout!.destroy()
  await typed(`produce ${at}`, 'b\n').ended()
  expect([await consuming.ended(), consuming.errors]).toEqual([0, ''])
  expect(await typed(`consume ${at} --from-beginning --max-records 2`).ended()).toBe(0)
  expect(await started.interrupt()).toBe(0)
})

test('SIGINT ends produce once its records are acknowledged; a second signal ends it at once', async () => {
  const { started, at } = await cluster('--brokers 1 --topic orders:1:1')
  const polite = typed(`produce ${at} --verbose`)
  polite.process.stdin!.write('a\nb\n')
  await polite.printed(2)
  expect([await polite.interrupt(), polite.errors]).toEqual([0, ''])

  const stuck = typed(`produce ${at} --verbose`)
  stuck.process.stdin!.write('c\n')
  await stuck.printed(1)
  started.process.kill('SIGSTOP')
  stuck.process.stdin!.write('d\n')
  await new Promise(resolve => setTimeout(resolve, 200))
  stuck.process.kill('SIGINT')
  await new Promise(resolve => setTimeout(resolve, 200))
  expect(await stuck.interrupt()).toBe(130)
  started.process.kill('SIGCONT')
})

test('records that fail are told once for each reason, and make the exit code 1', async () => {
  const { at } = await cluster('--brokers 1 --topic orders:1:1:max.message.bytes=200')
  const long = 'x'.repeat(300)
  const lines = `a:1\nno key\na:${long}\na:${long}\na:2\n`
  const producing = typed(`produce ${at} --key-separator : --config batch.size=0 --verbose`, lines)
  expect(await producing.ended()).toBe(1)
  expect(producing.lines).toEqual(['orders-0@0', 'orders-0@1'])
  expect(producing.errors).toBe(
    [
      "mini-kafka produce: line 2 has no ':' between key and value, and was not sent",
      'mini-kafka produce: a batch of 371 bytes for orders-0 is larger than max.message.bytes, 200 (orders-0, after 1 attempt)',
      'mini-kafka produce: 3 of 5 records failed\n',
    ].join('\n'),
  )
})

describe('what is wrong is one line that says what to do', () => {
  async function occupied(host: string, port = 0): Promise<Server> {
    const server = createServer().listen(port, host)
    await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject))
    return server
  }

  async function refusal(args: string): Promise<[code: number | string, errors: string]> {
    const command = typed(args, 'x\n')
    return [await command.ended(), command.errors]
  }

  test('a port in use', async () => {
    const server = await occupied('127.0.0.1')
    const { port } = server.address() as { port: number }
    expect(await refusal(`--brokers 1 --port ${port}`)).toEqual([
      1,
      `mini-kafka: listen: cannot open 127.0.0.1:${port} for broker-1: the port is in use; end what listens there, or leave the port out for a free one\n`,
    ])
    server.close()
  })

  test('no port is named and 9092 is in use: free ones are taken, and it says so', async () => {
    // Whoever has it, if not this test.
    const server = await occupied('127.0.0.1', 9092).catch(() => undefined)
    const started = typed('--brokers 1')
    expect(await serversOf(started)).not.toBe('127.0.0.1:9092')
    expect(await started.interrupt()).toBe(0)
    expect(started.errors).toBe('mini-kafka: port 9092 is in use, so free ones were taken; --port says which to take\n')
    server?.close()
  })

  test('a host that is not loopback is allowed, with a warning', async () => {
    const started = typed('--brokers 1 --port 0 --host 0.0.0.0')
    expect(await serversOf(started)).toMatch(/^localhost:\d+$/)
    expect(started.errors).toBe(
      'mini-kafka listens on 0.0.0.0, not only on loopback: whoever reaches this machine can read and write, there is no authentication\n',
    )
  })

  test('nobody listens at the bootstrap server', async () => {
    const server = await occupied('127.0.0.1')
    const { port } = server.address() as { port: number }
    await new Promise(resolve => server.close(resolve))
    const advice = "start one with 'mini-kafka', or say where it is with --bootstrap-server"
    const nobody = `no Kafka answers at 127.0.0.1:${port} within 300 ms: ${advice}\n`
    const at = `--topic orders --bootstrap-server 127.0.0.1:${port}`
    expect(await refusal(`produce ${at} --config max.block.ms=300`)).toEqual([1, `mini-kafka produce: ${nobody}`])
    expect(await refusal(`consume ${at} --config default.api.timeout.ms=300`)).toEqual([
      1,
      `mini-kafka consume: ${nobody}`,
    ])
  })

  test('a topic or a partition that is not there', async () => {
    const { at, servers } = await cluster('--brokers 1 --topic orders:2:1')
    expect(await refusal(`consume --topic ordres --bootstrap-server ${servers}`)).toEqual([
      1,
      "mini-kafka consume: there is no topic 'ordres': did you mean 'orders'?\n",
    ])
    const has = "--partition 2: topic 'orders' has 2 partitions, 0 to 1\n"
    expect(await refusal(`consume ${at} --partition 2`)).toEqual([2, `mini-kafka consume: ${has}`])
    expect(await refusal(`produce ${at} --partition 2`)).toEqual([2, `mini-kafka produce: ${has}`])
  })
})
