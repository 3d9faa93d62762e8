// `npm start`: a story, told by a cluster that lives it. Nothing here is acted: every line is read from the cluster.
import { createCluster, cut } from 'mini-kafka'

const say = text => console.log(text)
const topic = { partitions: 1, replicationFactor: 3, configs: { 'min.insync.replicas': 2 } }

async function nothingIsLost() {
  const cluster = await createCluster({ brokers: 3, seed: 1, topics: { orders: topic } })
  say(`Three brokers start: ${cluster.brokers.map(broker => broker.name).join(', ')}.`)
  const leader = cluster.leaderOf('orders', 0)
  const followers = cluster.followersOf('orders', 0)
  say(`${leader.name} leads orders-0; ${followers.map(broker => broker.name).join(' and ')} follow it.`)

  const producer = cluster.producer({ acks: 'all' })
  const sent = await Promise.all(
    ['created', 'packed', 'paid', 'shipped'].map(value => producer.send({ topic: 'orders', key: 'ORDER-1001', value })),
  )
  say(
    `Four records go in with acks=all and are acknowledged at offsets ${sent.map(({ offset }) => offset).join(', ')}.`,
  )

  await leader.crash()
  say(`${leader.name} crashes.`)
  await cluster.runUntil(() => cluster.partition('orders', 0).leader !== leader.id)
  const view = cluster.partition('orders', 0)
  say(`broker-${view.leader} takes over in epoch ${view.leaderEpoch}; in sync: ${view.inSyncReplicas.join(', ')}.`)

  const records = await cluster.topic('orders').records({ as: 'text' })
  for (const { offset } of sent) {
    const record = records.find(each => each.offset === offset)
    say(`  offset ${offset}: ${record === undefined ? 'LOST' : record.value}`)
  }
  if (records.length !== sent.length) throw new Error('an acknowledged record was lost')
  say('Every acknowledged record is there.')
  await cluster.close()
}

async function somethingIsLost() {
  const cluster = await createCluster({ brokers: 3, seed: 1, topics: { orders: topic } })
  const leader = cluster.leaderOf('orders', 0)
  say(`Again, with acks=1. ${leader.name} leads, and is cut off from its followers at an unlucky moment.`)
  const producer = cluster.producer({ acks: 1 })
  await producer.send({ topic: 'orders', key: 'ORDER-1002', value: 'created' })
  await cluster.runUntil(() => cluster.partition('orders', 0).highWatermark === 1)

  const cuts = cluster.followersOf('orders', 0).map(follower => cluster.network.rule(cut(leader, follower)))
  const { offset } = await producer.send({ topic: 'orders', key: 'ORDER-1002', value: 'paid' })
  say(`'paid' is acknowledged at offset ${offset} by ${leader.name} alone.`)
  await leader.crash()
  await cluster.runUntil(() => cluster.partition('orders', 0).leader !== leader.id)
  for (const each of cuts) each.dispose()
  await leader.restart()
  await cluster.runUntil(() => cluster.partition('orders', 0).inSyncReplicas.length === 3)

  const records = await cluster.topic('orders').records({ as: 'text' })
  const survivor = records.find(record => record.offset === offset)
  if (survivor?.value === 'paid') throw new Error('the record survived, which this story did not expect')
  say(
    `${leader.name} crashes, broker-${cluster.partition('orders', 0).leader} takes over, ${leader.name} returns and is truncated.`,
  )
  say(`Lost: 'paid', acknowledged at offset ${offset}. That is what acks=1 promises, and what acks=all is for.`)
  await cluster.close()
}

await nothingIsLost()
say('')
await somethingIsLost()
