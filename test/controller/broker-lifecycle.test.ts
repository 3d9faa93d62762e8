import { describe, expect, test } from 'vitest'
import { brokerRegistration } from '../../src/apis/broker-registration.ts'
import { errorOf } from '../../src/wire/errors.ts'
import { DrivenController } from './driven-controller.ts'

describe('a broker begins', () => {
  test('registered fenced, with the offset of its record as its epoch (R-50)', () => {
    const driven = new DrivenController()
    const next = driven.image.offset + 1
    expect(driven.register(1)).toBe('NONE')
    expect(driven.image.broker(1)).toMatchObject({ brokerEpoch: next, fenced: true, registrationOffset: next })
    expect(driven.image.broker(1)!.endpoints).toEqual([
      { name: 'PLAINTEXT', host: 'localhost', port: 9093, securityProtocol: 0 },
    ])
  })

  test('unfenced once it has read as far as its own registration (R-52)', () => {
    const driven = new DrivenController()
    driven.register(1)
    const { registrationOffset } = driven.image.broker(1)!
    expect(driven.heartbeat(1, { offset: registrationOffset - 1 })).toMatchObject({ isCaughtUp: false, isFenced: true })
    expect(driven.heartbeat(1, { offset: registrationOffset, wantFence: true })).toMatchObject({ isFenced: true })
    expect(driven.heartbeat(1, { offset: registrationOffset })).toMatchObject({ isCaughtUp: true, isFenced: false })
    expect(driven.image.isActive(1)).toBe(true)
  })

  test('another process with the id of a live one is refused until that session has ended (R-55)', async () => {
    const driven = DrivenController.withBrokers(2)
    expect(driven.register(2)).toBe('DUPLICATE_BROKER_REGISTRATION')
    driven.silence(2)
    await driven.advance(8_999)
    expect(driven.register(2)).toBe('DUPLICATE_BROKER_REGISTRATION')
    await driven.advance(1)
    expect(driven.register(2)).toBe('NONE')
  })

  test('but one that was on its way out need not wait for that (R-53, R-55)', () => {
    const driven = DrivenController.withBrokers(2)
    driven.createTopic('led', [[2, 1]])
    driven.silence(2)
    driven.heartbeat(2, { wantShutDown: true })
    expect(driven.image.isUnfenced(2)).toBe(true)
    expect(driven.register(2)).toBe('NONE')
    expect(driven.image.isUnfenced(2)).toBe(false)
  })

  test('the same process may ask again: it keeps its epoch and is not fenced for it (R-50)', () => {
    const driven = DrivenController.withBrokers(2)
    const epoch = driven.epochOf(2)
    expect(driven.register(2, { incarnation: driven.incarnationOf(2) })).toBe('NONE')
    expect(driven.epochOf(2)).toBe(epoch)
    expect(driven.image.isActive(2)).toBe(true)
  })

  test('a broker of another cluster is refused', () => {
    const driven = new DrivenController()
    const { errorCode } = driven.ask(brokerRegistration, {
      brokerId: 1,
      clusterId: 'another',
      incarnationId: driven.newIncarnation(),
      listeners: [],
      features: [],
      rack: null,
    })
    expect(errorOf(errorCode).name).toBe('INCONSISTENT_CLUSTER_ID')
  })

  test('heartbeats of another epoch, or of a broker that nobody knows, are stale (R-55)', () => {
    const driven = DrivenController.withBrokers(2)
    expect(driven.heartbeat(2, { epoch: driven.epochOf(2) - 1 }).error).toBe('STALE_BROKER_EPOCH')
    expect(driven.heartbeat(2, { epoch: driven.epochOf(2) + 1 }).error).toBe('STALE_BROKER_EPOCH')
    expect(driven.heartbeat(9, { epoch: 1 }).error).toBe('STALE_BROKER_EPOCH')
  })
})

describe('a broker falls silent', () => {
  test('fenced when its session has ended, 9 s after its last heartbeat, not before (R-50, R-51)', async () => {
    const driven = DrivenController.withBrokers(3)
    driven.createTopic('orders', [[1, 2, 3]])
    driven.silence(1)
    await driven.advance(8_999)
    expect(driven.partition('orders').leader).toBe(1)
    await driven.advance(1)
    expect(driven.image.isUnfenced(1)).toBe(false)
    expect(driven.state('orders')).toBe('leader=2 le=1 pe=1 isr=[2,3] replicas=[1,2,3]')
  })

  test('one that sends heartbeats is never fenced (R-50)', async () => {
    const driven = DrivenController.withBrokers(1)
    await driven.advance(600_000)
    expect(driven.runtime.trace.events().filter(event => event.kind === 'fenced')).toEqual([])
    expect(driven.image.isActive(1)).toBe(true)
  })

  test('broker.session.timeout.ms says how long that is (R-50)', async () => {
    const driven = DrivenController.withBrokers(2, { configs: new Map([['broker.session.timeout.ms', '2500']]) })
    driven.silence(1)
    await driven.advance(2_499)
    expect(driven.image.isUnfenced(1)).toBe(true)
    await driven.advance(1)
    expect(driven.image.isUnfenced(1)).toBe(false)
    expect(driven.image.isUnfenced(2)).toBe(true)
  })

  test('heard of again, it leads what waited for it (R-52)', async () => {
    const driven = DrivenController.withBrokers(2)
    driven.createTopic('one', [[2]])
    await driven.loseBroker(2)
    expect(driven.state('one')).toBe('leader=-1 le=1 pe=1 isr=[] elr=[2] lastKnownElr=[2] replicas=[2]')
    driven.resume(2)
    expect(driven.state('one')).toBe('leader=2 le=2 pe=2 isr=[2] replicas=[2]')
  })

  test('an hour that virtual time leaps over is no silence, and the session counts on from there (R-50)', async () => {
    const driven = DrivenController.withBrokers(1)
    // The session's timer is due half a second later, the next heartbeat after that.
    await driven.advance(8_500)
    const eventsBefore = driven.runtime.events
    driven.runtime.calm = () => true
    await driven.advance(3_600_000)
    expect(driven.runtime.events - eventsBefore).toBeLessThan(100)
    expect(driven.image.isUnfenced(1)).toBe(true)
    driven.runtime.calm = () => false
    driven.silence(1)
    // The last heartbeat came half a second before the leap.
    await driven.advance(8_499)
    expect(driven.image.isUnfenced(1)).toBe(true)
    await driven.advance(1)
    expect(driven.image.isUnfenced(1)).toBe(false)
  })

  test('a controller that starts again gives everybody a whole session (R-50)', async () => {
    const driven = DrivenController.withBrokers(1)
    driven.silence(1)
    await driven.advance(6_000)
    driven.restartController()
    await driven.advance(8_999)
    expect(driven.image.isUnfenced(1)).toBe(true)
    await driven.advance(1)
    expect(driven.image.isUnfenced(1)).toBe(false)
  })
})

describe('a broker leaves politely (R-53)', () => {
  test('its leaderships move, then everybody must have read that, then it may end', () => {
    const driven = DrivenController.withBrokers(3)
    driven.createTopic('orders', [[1, 2, 3]], { 'min.insync.replicas': 2 })
    driven.createTopic('alone', [[1]])
    driven.silence(1)
    const before = driven.image.offset
    expect(driven.heartbeat(1, { wantShutDown: true })).toMatchObject({ isFenced: false, shouldShutDown: false })
    expect(driven.image.isUnfenced(1)).toBe(true)
    expect(driven.image.isActive(1)).toBe(false)
    expect(driven.state('orders')).toBe('leader=2 le=1 pe=1 isr=[2,3] replicas=[1,2,3]')
    expect(driven.state('alone')).toBe('leader=-1 le=1 pe=1 isr=[] elr=[1] lastKnownElr=[1] replicas=[1]')
    driven.heartbeat(2)
    driven.heartbeat(3, { offset: before })
    expect(driven.heartbeat(1, { wantShutDown: true }).shouldShutDown).toBe(false)
    driven.heartbeat(3)
    expect(driven.heartbeat(1, { wantShutDown: true })).toMatchObject({ isFenced: true, shouldShutDown: true })
    expect(driven.image.isUnfenced(1)).toBe(false)
  })

  test('it returns at once, cleanly, and the partition of its own is led again', async () => {
    const driven = DrivenController.withBrokers(3)
    driven.createTopic('orders', [[1, 2, 3]], { 'min.insync.replicas': 2 })
    driven.createTopic('alone', [[1]])
    const previousEpoch = driven.epochOf(1)
    await driven.stopBroker(1)
    driven.startBroker(1, { previousEpoch })
    driven.proposeInSync('orders', [1, 2, 3])
    expect(driven.elect('preferred', 'orders')).toBe('NONE')
    expect(driven.elect('preferred', 'orders')).toBe('ELECTION_NOT_NEEDED')
    expect(driven.history('orders')).toEqual([
      'leader=1 le=0 pe=0 isr=[1,2,3] replicas=[1,2,3]',
      'leader=2 le=1 pe=1 isr=[2,3] replicas=[1,2,3]',
      'leader=2 le=1 pe=2 isr=[1,2,3] replicas=[1,2,3]',
      'leader=1 le=2 pe=3 isr=[1,2,3] replicas=[1,2,3]',
    ])
    expect(driven.history('alone')).toEqual([
      'leader=1 le=0 pe=0 isr=[1] replicas=[1]',
      'leader=-1 le=1 pe=1 isr=[] elr=[1] lastKnownElr=[1] replicas=[1]',
      'leader=1 le=2 pe=2 isr=[1] replicas=[1]',
    ])
  })

  test('one that leads nothing, and one that is fenced, may end at once', async () => {
    const driven = DrivenController.withBrokers(3)
    driven.createTopic('orders', [[1, 2]])
    driven.silence(2)
    expect(driven.heartbeat(2, { wantShutDown: true })).toMatchObject({ shouldShutDown: true, isFenced: true })
    expect(driven.state('orders')).toBe('leader=1 le=0 pe=1 isr=[1] replicas=[1,2]')
    await driven.loseBroker(3)
    expect(driven.heartbeat(3, { wantShutDown: true })).toMatchObject({ shouldShutDown: true, isFenced: true })
  })
})

test('registrations, fencing and elections are events of the trace', async () => {
  const driven = DrivenController.withBrokers(2)
  driven.createTopic('orders', [[1, 2]])
  await driven.loseBroker(1)
  driven.proposeInSync('orders', [2])
  const seen = driven.runtime.trace.events().filter(event => event.who === 'controller')
  const kinds = seen.map(event => event.kind).filter(kind => kind !== 'metadata' && kind !== 'config')
  expect(kinds).toEqual(['registered', 'unfenced', 'registered', 'unfenced', 'topic', 'election', 'fenced', 'election'])
  expect(seen.filter(event => event.kind === 'election').at(-1)!.fields).toEqual({
    partition: 'orders-0',
    leader: 2,
    from: 1,
    leaderEpoch: 1,
    partitionEpoch: 1,
    inSyncReplicas: [2],
  })
})
