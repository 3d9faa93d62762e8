// What groups cost: `npm run bench`. See cluster.mjs for how to read the figures.
import { performance } from 'node:perf_hooks'
import { createCluster, delay } from 'mini-kafka'

const median = values => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]
const whole = value => Math.round(value).toLocaleString('en')

function report(what, clock, unit, goal, limit) {
  console.log(`${what.padEnd(48)} ${clock.padStart(10)} ${unit.padEnd(4)} goal ${goal}\n    limited by ${limit}`)
}

async function joinToStable(protocol) {
  const rounds = []
  for (let i = 0; i < 40; i++) {
    const cluster = await createCluster({ topics: { t: { partitions: 6, replicationFactor: 3 } } })
    const from = performance.now()
    const members = [1, 2, 3].map(() => cluster.consumer({ 'group.id': 'g', 'group.protocol': protocol }))
    for (const member of members) member.subscribe(['t'])
    let stable = false
    const polling = members.map(async member => {
      while (!stable) await member.poll({ timeoutMs: 100 })
    })
    await cluster.group('g').waitForStable({ members: 3 })
    rounds.push(performance.now() - from)
    stable = true
    await Promise.all(polling)
    await cluster.close()
  }
  report(
    `group of 3, first join to stable, ${protocol}`,
    median(rounds.slice(10)).toFixed(1),
    'ms',
    'none; Kafka takes 3 s and more',
    'the topic of offsets: 50 partitions on three brokers are made for the first group of a cluster',
  )
}

const RECORDS = 300_000

async function consumed(replicationFactor) {
  const rounds = []
  for (let round = 0; round < 7; round++) {
    const cluster = await createCluster({ topics: { t: { replicationFactor } }, trace: { limit: 0 } })
    const producer = cluster.producer()
    const value = new Uint8Array(100)
    let last
    for (let n = 0; n < RECORDS; n++) last = producer.send({ topic: 't', value })
    await last
    const consumer = cluster.consumer({ 'group.id': 'g', 'auto.offset.reset': 'earliest' })
    consumer.subscribe(['t'])
    let count = 0
    let from
    while (count < RECORDS) {
      const records = await consumer.poll({ timeoutMs: 1000 })
      from ??= performance.now()
      for (const _ of records) count++
    }
    rounds.push((RECORDS / (performance.now() - from)) * 1000)
    await cluster.close()
  }
  report(
    `records/s, 100 B, consumed in a group, RF ${replicationFactor}`,
    whole(median(rounds.slice(2))),
    '/s',
    '≥ 1,000,000',
    'an object for each record, and CRC-32C; 500 records to a poll',
  )
}

async function idleMembers() {
  const cluster = await createCluster({
    topics: { t: { partitions: 1000, replicationFactor: 1 } },
    trace: { limit: 0 },
  })
  const members = Array.from({ length: 1000 }, () => cluster.consumer({ 'group.id': 'g' }))
  for (const member of members) member.subscribe(['t'])
  let stable = false
  const polling = members.map(async member => {
    while (!stable) await member.poll({ timeoutMs: 1000 })
  })
  await cluster.group('g').waitForStable({ members: 1000, timeoutMs: 600_000 })
  stable = true
  await Promise.all(polling)
  const minute = async () => {
    const from = performance.now()
    await cluster.clock.advance(60_000)
    return performance.now() - from
  }
  const leapt = await minute()
  report(
    '1,000 idle members, a virtual minute, leapt over',
    whole(leapt),
    'ms',
    'none',
    'looks at whether the cluster is calm: every replica, every member',
  )
  // While a rule is in force, time does not leap: every heartbeat is sent and answered.
  cluster.network.rule(delay(0))
  const beaten = await minute()
  report(
    '1,000 idle members, a virtual minute',
    whole(beaten),
    'ms',
    `none; 20,000 heartbeats, ${((beaten / 20_000) * 1000).toFixed(0)} µs each`,
    'the frames of each heartbeat, there and back, and the idle fetches of the brokers',
  )
  await cluster.close()
}

await joinToStable('classic')
await joinToStable('consumer')
await consumed(1)
await consumed(3)
await idleMembers()
