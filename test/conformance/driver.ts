import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Acks, Client, Compression, GroupProtocol } from './client.ts'

/** Keys, values and headers' values in base64, as they travel. */
export interface LineRecord {
  readonly topic: string
  readonly partition: number
  readonly offset?: number
  readonly key: string | null
  readonly value: string | null
  readonly headers?: readonly (readonly [string, string | null])[]
  readonly timestamp?: number
}

export interface ProducerSettings {
  readonly acks: Acks
  readonly compression: Compression
  readonly idempotent: boolean
}

export type Isolation = 'read_committed' | 'read_uncommitted'

export interface JoinWish {
  readonly isolation?: Isolation
  /** In whose transactions its offsets will be sent. */
  readonly transactionalId?: string
}

export interface Hello {
  readonly client: string
  readonly version: string
  readonly engine: string
}

interface Requests {
  createTopics: [
    { topics: { name: string; partitions: number; replicationFactor: number; configs: Record<string, string> }[] },
    object,
  ]
  listTopics: [object, { topics: string[] }]
  deleteTopics: [{ topics: string[] }, object]
  produce: [{ producer: ProducerSettings; records: readonly LineRecord[] }, { offsets: (number | null)[] }]
  read: [{ topic: string; partitions: number; count: number; isolation?: Isolation }, { records: LineRecord[] }]
  start: [{ load: string; producer: ProducerSettings; topic: string; partitions: number }, object]
  stop: [{ load: string }, { acknowledged: string[]; failed: string[] }]
  join: [{ member: string; group: string; protocol: GroupProtocol; topics: string[] } & JoinWish, object]
  commit: [{ member: string }, object]
  leave: [{ member: string }, object]
  init: [{ transactionalId: string }, object]
  begin: [{ transactionalId: string }, object]
  send: [{ transactionalId: string; records: readonly LineRecord[] }, object]
  sendOffsets: [{ transactionalId: string; member: string }, object]
  end: [{ transactionalId: string; outcome: 'commit' | 'abort' }, object]
}

/** What the driver answers instead. */
export class DriverError extends Error {
  override readonly name = 'DriverError'
  /** Kafka's number of the error, where the client tells it. */
  readonly code: number | null

  constructor(op: string, { code, message }: { code: number | null; message: string }) {
    super(`${op}: ${message}`)
    this.code = code
  }
}

/** What one member of a group was given. */
export class Member {
  readonly name: string
  readonly records: LineRecord[] = []
  /** All that it has, after each change. */
  readonly assignments: [topic: string, partition: number][][] = []
  readonly failures: string[] = []

  constructor(name: string) {
    this.name = name
  }

  /** Sorted. */
  get partitions(): number[] {
    return (this.assignments.at(-1) ?? []).map(([, partition]) => partition).sort((a, b) => a - b)
  }

  get values(): string[] {
    return this.records.map(({ value }) => Buffer.from(value ?? '', 'base64').toString())
  }
}

interface Line {
  readonly id?: number
  readonly result?: never
  readonly error?: { code: number | null; message: string }
  readonly event?: 'acknowledged' | 'assigned' | 'records' | 'failed'
  readonly load: string
  readonly member: string
  readonly values: string[]
  readonly partitions: [string, number][]
  readonly records: LineRecord[]
  readonly message: string
}

interface Asked {
  readonly op: string
  resolve(result: never): void
  reject(error: Error): void
  readonly limit: NodeJS.Timeout
}

/** A request of a client is answered sooner, whatever happens to the cluster meanwhile. */
const REQUEST_LIMIT_MS = 30_000
const END_LIMIT_MS = 10_000

/** A client's program in a process of its own. */
export class Driver {
  readonly hello: Hello
  readonly #client: Client
  readonly #process: ChildProcessWithoutNullStreams
  readonly #asked = new Map<number, Asked>()
  readonly #members = new Map<string, Member>()
  readonly #acknowledged = new Map<string, string[]>()
  readonly #errors: string[]
  #nextId = 1
  #isEnding = false

  private constructor(client: Client, child: ChildProcessWithoutNullStreams, hello: Hello, errors: string[]) {
    this.#client = client
    this.#process = child
    this.#errors = errors
    this.hello = hello
  }

  /** `security`: how it says who it is; protocol.md says what is in there. */
  static async start(client: Client, bootstrapServers: string, security?: object): Promise<Driver> {
    const [command, ...args] = client.run as [string, ...string[]]
    const program = command === 'node' ? process.execPath : command
    const said = security === undefined ? {} : { CLIENT_SECURITY: JSON.stringify(security) }
    const child = spawn(program, [...args, bootstrapServers], { cwd: client.folder, env: { ...process.env, ...said } })
    const errors: string[] = []
    child.stderr.setEncoding('utf8').on('data', text => errors.push(text))
    const lines = createInterface({ input: child.stdout })
    const gone = once(child, 'exit').then(([code]) => {
      throw new Error(`${client.name} ended with ${code} before its first line\n${errors.join('')}`)
    })
    const [first] = (await Promise.race([once(lines, 'line'), gone])) as [string]
    gone.catch(() => {})
    const driver = new Driver(client, child, JSON.parse(first), errors)
    lines.on('line', line => driver.#take(JSON.parse(line)))
    child.on('exit', code => driver.#ended(code))
    return driver
  }

  /** The end of what it wrote for people. */
  get said(): string {
    return this.#errors.join('').split('\n').slice(-40).join('\n')
  }

  ask<Op extends keyof Requests>(op: Op, request: Requests[Op][0]): Promise<Requests[Op][1]> {
    const id = this.#nextId++
    return new Promise((resolve, reject) => {
      const limit = setTimeout(() => {
        this.#asked.delete(id)
        reject(new Error(`${this.#client.name} has not answered '${op}' within ${REQUEST_LIMIT_MS} ms\n${this.said}`))
      }, REQUEST_LIMIT_MS)
      this.#asked.set(id, { op, resolve, reject, limit })
      this.#process.stdin.write(`${JSON.stringify({ id, op, ...request })}\n`)
    })
  }

  async join(
    member: string,
    group: string,
    protocol: GroupProtocol,
    topic: string,
    wish: JoinWish = {},
  ): Promise<Member> {
    const joined = new Member(member)
    this.#members.set(member, joined)
    await this.ask('join', { member, group, protocol, topics: [topic], ...wish })
    return joined
  }

  /** Of a load, in the order in which the acknowledgements came. */
  acknowledged(load: string): readonly string[] {
    return this.#acknowledged.get(load) ?? []
  }

  /** Ends it as its protocol says; fails if it does not end by itself, with 0. */
  async end(): Promise<void> {
    this.#isEnding = true
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = once(this.#process, 'close')
    const limit = setTimeout(() => this.#process.kill('SIGKILL'), END_LIMIT_MS)
    this.#process.stdin.end()
    const [code, signal] = await ended
    clearTimeout(limit)
    if (code !== 0) throw new Error(`${this.#client.name} ended with ${code ?? signal}\n${this.said}`)
  }

  /** `kill -9`: nothing is closed, nobody is told. */
  async kill(): Promise<void> {
    this.#isEnding = true
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const ended = once(this.#process, 'close')
    this.#process.kill('SIGKILL')
    await ended
  }

  #take(line: Line): void {
    if (line.event !== undefined) this.#happened(line)
    else this.#answered(line)
  }

  #answered(line: Line): void {
    const asked = this.#asked.get(line.id!)
    if (asked === undefined) return
    this.#asked.delete(line.id!)
    clearTimeout(asked.limit)
    if (line.error === undefined) asked.resolve(line.result!)
    else asked.reject(new DriverError(asked.op, line.error))
  }

  #happened(line: Line): void {
    if (line.event === 'acknowledged') {
      const values = this.#acknowledged.get(line.load) ?? []
      this.#acknowledged.set(line.load, values)
      values.push(...line.values)
      return
    }
    const member = this.#members.get(line.member)!
    if (line.event === 'assigned') member.assignments.push(line.partitions)
    else if (line.event === 'records') member.records.push(...line.records)
    else member.failures.push(line.message)
  }

  #ended(code: number | null): void {
    for (const { op, reject, limit } of this.#asked.values()) {
      clearTimeout(limit)
      reject(new Error(`${this.#client.name} ended with ${code} before it answered '${op}'\n${this.said}`))
    }
    this.#asked.clear()
    if (!this.#isEnding) this.#errors.push(`the driver ended by itself with ${code}\n`)
  }
}
