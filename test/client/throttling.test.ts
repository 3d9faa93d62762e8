import { afterEach, expect, test } from 'vitest'
import { initProducerId } from '../../src/apis/init-producer-id.ts'
import { waitsWhenThrottled } from '../../src/client/throttling.ts'
import { errorCodes } from '../../src/wire/errors.ts'
import { Stage } from './producer/timeline/stage.ts'

let stage: Stage
afterEach(() => stage?.close())

test('old versions had been held back by the broker already, new ones are by the client (C-37, KIP-219)', () => {
  expect([5, 6].map(version => waitsWhenThrottled('Produce', version))).toEqual([false, true])
  expect([7, 8].map(version => waitsWhenThrottled('Fetch', version))).toEqual([false, true])
  expect(waitsWhenThrottled('ConsumerGroupHeartbeat', 0)).toBe(true)
})

test('whatever was answered with a throttle time, the connection rests for so long (C-37)', async () => {
  stage = await Stage.open({}, { warm: false })
  const later = { errorCode: errorCodes.COORDINATOR_LOAD_IN_PROGRESS, producerId: -1, producerEpoch: -1 }
  stage.proxy.on(initProducerId, (_, { n }) => (n === 1 ? { answer: { ...later, throttleTimeMs: 400 } } : undefined))
  await stage.send('a')
  const [answered] = stage.times('< InitProducerId')
  // Without it, it would be asked again after 100 ms.
  expect(stage.times('> InitProducerId')[1]).toBe(answered! + 400)
})
