import { setTimeout as sleep } from 'node:timers/promises'
import type { Consumer, Producer, ProducerOptions } from '../../src/index.ts'

/** One request at a time: a leader that starts again knows one batch of each producer (I-14). */
export const persistent: ProducerOptions = {
  acks: 'all',
  'max.in.flight.requests.per.connection': 1,
  'linger.ms': 0,
  'retry.backoff.ms': 20,
  'retry.backoff.max.ms': 50,
  'reconnect.backoff.ms': 20,
  'reconnect.backoff.max.ms': 50,
  'metadata.max.age.ms': 500,
  'request.timeout.ms': 1_000,
  'delivery.timeout.ms': 60_000,
}

export interface Stored {
  readonly value: string
  readonly offset: number
}

/** Sends one record after the other, whatever happens meanwhile, and keeps what it was told of them. */
export class SteadyProducer {
  readonly acknowledged: Stored[] = []
  readonly refused: Error[] = []
  readonly #producer: Producer
  readonly #running: Promise<void>
  #goesOn = true

  constructor(producer: Producer) {
    this.#producer = producer
    this.#running = this.#run()
  }

  async #run(): Promise<void> {
    for (let n = 0; this.#goesOn; n++) {
      const value = `record ${n}`
      await this.#producer.send({ topic: 'orders', partition: 0, value }).then(
        ({ offset }) => void this.acknowledged.push({ value, offset }),
        error => void this.refused.push(error),
      )
    }
  }

  /** Until so many more are acknowledged. @throws what one was refused with */
  async goesOn(count = 1): Promise<void> {
    const enough = this.acknowledged.length + count
    while (this.acknowledged.length < enough) {
      if (this.refused.length > 0) throw this.refused[0]
      await sleep(1)
    }
  }

  async stop(): Promise<void> {
    this.#goesOn = false
    await this.#running
    await this.#producer.close()
  }
}

/** What is stored, from the beginning, until there are `count` and nothing more comes. */
export async function storedFor(consumer: Consumer, count: number): Promise<Stored[]> {
  consumer.assign([{ topic: 'orders', partition: 0 }])
  consumer.seekToBeginning([{ topic: 'orders', partition: 0 }])
  const stored: Stored[] = []
  for (;;) {
    const found = await consumer.poll({ timeoutMs: 500 })
    for (const { value, offset } of found) stored.push({ value: `${value}`, offset })
    if (found.isEmpty && stored.length >= count) break
  }
  await consumer.close()
  return stored
}
