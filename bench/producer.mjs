// Records per second through `send` of our producer, and of others who produce to the same listening cluster, which is a
// process of its own; so is each producer. Rounds of all of them are interleaved; medians, and ratios to ours.
//   node bench/producer.mjs [rounds, default 5] [broker's command, which prints its bootstrap servers and has a topic `bench`]
// kafkajs and kafka-ts are the package's own for development; node-rdkafka is taken where `npm run clients` has put it.
import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

const [rounds = '5', command] = process.argv.slice(2)
const here = name => fileURLToPath(new URL(name, import.meta.url))
const median = values => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const whole = value => Math.round(value).toLocaleString('en')

const broker = command
  ? spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'inherit'] })
  : spawn(process.execPath, [here('listening-cluster.mjs')], { stdio: ['ignore', 'pipe', 'ignore'] })
const [servers] = await once(createInterface({ input: broker.stdout }), 'line')

class Load {
  constructor(kind) {
    this.kind = kind
    this.child = fork(here('producer-load.mjs'), [kind, servers])
    this.ended = once(this.child, 'exit')
    this.child.setMaxListeners(100)
  }

  async ask(job) {
    this.child.send(job)
    const [answer] = await Promise.race([once(this.child, 'message'), this.ended])
    if (typeof answer === 'object' && answer !== null) return answer
    broker.kill('SIGTERM')
    throw new Error(`${this.kind} did not survive ${JSON.stringify(job)}`)
  }

  /** Another process: what a round cost does not come from what an earlier one left. */
  async end() {
    if (this.child.exitCode !== null) return
    this.child.disconnect()
    await this.ended
  }
}

async function missing(kind) {
  const load = new Load(kind)
  const { missing } = await load.ask({ probe: true, size: 100, lingerMs: 5, batchBytes: 262_144 })
  await load.end()
  return missing
}

/** What is measured of each: `call` is how many records one call of its `send` is given. */
const contenders = [
  { kind: 'mini-kafka', call: 1, share: 1 },
  { kind: 'kafka-ts', call: 1, share: 0.1 },
  { kind: 'kafka-ts', call: 1000, share: 0.5 },
  { kind: 'kafkajs', call: 1, share: 0.02 },
  { kind: 'kafkajs', call: 1000, share: 0.5 },
  { kind: 'node-rdkafka', call: 1, share: 0.5 },
]
const named = ({ kind, call }) => `${kind}, ${call === 1 ? 'one record' : `${whole(call)} records`} a call`

const present = []
for (const contender of contenders) {
  const reason = await missing(contender.kind)
  if (reason === undefined) present.push(contender)
  else if (!present.some(({ kind }) => kind === contender.kind)) console.log(`${contender.kind} is left out: ${reason}`)
}

for (const size of [100, 1000]) {
  const count = size === 100 ? 400_000 : 100_000
  const loads = present.map(contender => ({ contender, load: new Load(contender.kind), rates: [], cpu: [] }))
  const jobOf = ({ call, share }) => ({
    size,
    call,
    count: Math.round(count * share),
    lingerMs: 5,
    batchBytes: 262_144,
  })
  for (let round = 0; round <= Number(rounds); round++) {
    for (const { contender, load, rates, cpu } of loads) {
      const { rate, cpuMs } = await load.ask(jobOf(contender))
      // The first round warms up.
      if (round === 0) continue
      rates.push(rate)
      cpu.push(cpuMs)
    }
  }
  for (const { load } of loads) await load.end()
  console.log(`\n${size} B, acks=all, linger 5 ms, batches of 256 KB where that can be said`)
  const ours = median(loads[0].rates)
  for (const { contender, rates, cpu } of loads) {
    const load = new Load(contender.kind)
    const { bytes } = await load.ask({
      ...jobOf({ ...contender, share: 1 }),
      count: 20_000,
      allocation: true,
    })
    await load.end()
    const allocated = `${whole(bytes)} B allocated on the heap`
    const times = contender.kind === 'mini-kafka' ? '' : ` (ours is ${(ours / median(rates)).toFixed(2)} × that)`
    const processor = `${median(cpu).toFixed(2)} µs of processor time`
    console.log(`${named(contender)}: ${whole(median(rates))} records/s${times}; each ${processor}, ${allocated}`)
  }
}

console.log('\nOurs, by linger.ms and batch.size, 100 B')
const loads = []
for (const batchBytes of [16_384, 262_144]) {
  for (const lingerMs of [0, 5, 50]) loads.push({ batchBytes, lingerMs, load: new Load('mini-kafka'), answers: [] })
}
for (let round = 0; round <= Number(rounds); round++) {
  for (const { batchBytes, lingerMs, load, answers } of loads) {
    const answer = await load.ask({ size: 100, call: 1, count: 200_000, lingerMs, batchBytes })
    // Ten records a millisecond, as a service would: what lingers is seen here.
    const trickle = await load.ask({ size: 100, call: 1, count: 3_000, lingerMs, batchBytes, everyMs: 10 })
    if (round > 0) answers.push({ ...answer, trickle })
  }
}
for (const { batchBytes, lingerMs, load, answers } of loads) {
  await load.end()
  const { perRequest, perBatch } = answers.at(-1)
  const slow = answers.at(-1).trickle
  console.log(
    `batch.size ${whole(batchBytes)}, linger.ms ${lingerMs}: ${whole(median(answers.map(({ rate }) => rate)))} records/s, ` +
      `${whole(perBatch)} records a batch, ${whole(perRequest)} a request; ` +
      `at 10 records/ms ${whole(slow.perRequest)} a request, answered in ${median(answers.map(({ trickle }) => trickle.p50)).toFixed(1)} ms`,
  )
}

broker.kill('SIGTERM')
await once(broker, 'exit')
