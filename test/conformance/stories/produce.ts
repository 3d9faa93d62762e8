import { expect } from 'vitest'
import { produce } from '../../../src/apis/produce.ts'
import type { Cluster } from '../../../src/cluster/cluster.ts'
import type { Acks, Can, Compression } from '../client.ts'
import type { LineRecord } from '../driver.ts'
import type { World } from '../world.ts'
import { everywhere, type Stories } from './story.ts'

/** As batches have them in their attributes. */
const codecs: readonly Compression[] = ['none', 'gzip', 'snappy', 'lz4', 'zstd']
const onTheWire: Readonly<Record<Acks, number>> = { '0': 0, '1': 1, all: -1 }

const base64 = (value: string | Uint8Array) => Buffer.from(value).toString('base64')
const everyByte = Uint8Array.from({ length: 256 }, (_, index) => index)
/** Not now, and not so long ago that retention takes it. */
const SENT_AT = Date.now() - 3_600_000

/** One of each kind that the client can send, and enough alike that compressing them pays. */
function assortment(topic: string, { headers, timestamps, nulls }: Can): LineRecord[] {
  const common = { topic, partition: 0, ...(timestamps === true ? { timestamp: SENT_AT } : {}) }
  const own: readonly [string, string][] = [
    ['source', base64('shop')],
    ['twice', base64('a')],
    ['twice', base64(headers === true ? everyByte : 'é')],
  ]
  const records: LineRecord[] = [
    { ...common, key: base64('ORDER-1'), value: base64('paid'), ...(headers ? { headers: own } : {}) },
    { ...common, key: base64(everyByte), value: base64(everyByte.toReversed()) },
    { ...common, key: base64('long'), value: base64('é'.repeat(50_000)) },
  ]
  if (nulls === true) {
    records.push({ ...common, key: base64('ORDER-2'), value: null })
    records.push({ ...common, key: null, value: base64('keyless') })
  }
  for (let i = 0; i < 100; i++) {
    records.push({ ...common, key: base64(`ORDER-${i}`), value: base64(`{"state":"paid","number":${i}}`) })
  }
  return records
}

/** What must be read: in order, byte for byte. */
function expected(records: readonly LineRecord[]): LineRecord[] {
  return records.map((record, offset) => ({ headers: [], ...record, offset }))
}

/** Times that the client had to choose itself are compared with nothing but its clock. */
function comparable(read: readonly LineRecord[], can: Can): LineRecord[] {
  if (can.timestamps === true) return [...read]
  return read.map(({ timestamp, ...record }) => {
    expect(Math.abs(Date.now() - timestamp!)).toBeLessThan(60_000)
    return record
  })
}

/** That it did as it was told, as the broker saw it. Clients may leave a batch as it is that does not get smaller. */
function expectOnTheWire(cluster: Cluster, topic: string, acks: Acks, compression: Compression): void {
  const seen = new Set<string>()
  for (const { body } of cluster.requests({ api: produce, topic, from: 'clients' })) {
    expect(body.acks).toBe(onTheWire[acks])
    const batches = body.topicData.flatMap(each => each.partitionData).flatMap(each => each.records?.batches() ?? [])
    for (const batch of batches) seen.add(codecs[batch.compression]!)
  }
  expect(seen).toContain(compression)
  expect([...seen].filter(codec => codec !== 'none' && codec !== compression)).toEqual([])
}

async function roundTrip(world: World, acks: Acks, compression: Compression): Promise<void> {
  const { client, driver, place } = world
  const topic = await world.topic(`produced-${compression}-${acks}`)
  const records = assortment(topic, client.can)
  const producer = { acks, compression, idempotent: false }
  const { offsets } = await driver.ask('produce', { producer, records })
  const told = offsets.map((offset, index) => [offset, index]).filter(([offset]) => offset !== null)
  expect(told).toSatisfyAll(([offset, index]) => offset === index)
  const ours = await world.records(topic, 1, records.length)
  expect(comparable(ours, client.can)).toEqual(expected(records))
  if (place.cluster !== undefined) expectOnTheWire(place.cluster, topic, acks, compression)
  const { records: own } = await driver.ask('read', { topic, partitions: 1, count: records.length })
  expect(comparable(own, client.can)).toEqual(expected(records))
}

export const produceStories: Stories = ({ can }) => {
  const { acks = [], compressions = [] } = can
  if (acks.length === 0) return []
  return compressions.map(compression => ({
    column: 'produce',
    aspect: compression,
    title: `writes with ${compression} and reads again, byte for byte, with acks ${acks.join(', ')}; reads what ours wrote`,
    places: everywhere,
    async tell(world) {
      for (const each of acks) await roundTrip(world, each, compression)
      const topic = await world.topic(`written-${compression}`)
      const headers = can.headers === 'written as text' ? true : (can.headers ?? false)
      const records = assortment(topic, { headers, timestamps: true, nulls: can.nulls === true })
      await world.write(records, compression)
      const { records: read } = await world.driver.ask('read', { topic, partitions: 1, count: records.length })
      expect(read).toEqual(expected(records))
    },
  }))
}
