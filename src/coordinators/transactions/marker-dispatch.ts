import type { MarkersRequest, MarkersResponse, TransactionEnvironment } from './transaction-environment.ts'

type Entry = NonNullable<MarkersRequest['markers']>[number]

/** The markers of one transaction for the partitions that one broker leads. */
export interface MarkerOrder {
  readonly marker: Omit<Entry, 'topics'>
  readonly topics: ReadonlyMap<string, ReadonlySet<number>>
  /** The error code of each partition; undefined: nobody knows. */
  settle(outcome: ((topic: string, partition: number) => number | undefined) | undefined): void
}

/**
 * Orders on their way to the brokers that write markers (TransactionMarkerChannelManager): one request to a broker at a time;
 * what comes meanwhile goes together in the next.
 */
export class MarkerDispatch {
  readonly #environment: TransactionEnvironment
  readonly #queues = new Map<number, MarkerOrder[]>()
  readonly #busy = new Set<number>()

  constructor(environment: TransactionEnvironment) {
    this.#environment = environment
  }

  send(brokerId: number, order: MarkerOrder): void {
    const queue = this.#queues.get(brokerId)
    if (queue === undefined) this.#queues.set(brokerId, [order])
    else queue.push(order)
    if (!this.#busy.has(brokerId)) this.#next(brokerId)
  }

  #next(brokerId: number): void {
    const queue = this.#queues.get(brokerId) ?? []
    const orders: MarkerOrder[] = []
    const producers = new Set<number>()
    // Answers name the producer alone, so there is room for one of its transactions in a request.
    for (const order of queue) {
      if (producers.has(order.marker.producerId)) continue
      producers.add(order.marker.producerId)
      orders.push(order)
    }
    if (orders.length === 0) return
    this.#queues.set(
      brokerId,
      queue.filter(order => !orders.includes(order)),
    )
    this.#busy.add(brokerId)
    this.#environment.writeMarkers(brokerId, { markers: orders.map(entryOf) }, response => {
      this.#busy.delete(brokerId)
      for (const order of orders) order.settle(outcomeOf(order, response))
      if (!this.#busy.has(brokerId)) this.#next(brokerId)
    })
  }
}

function entryOf({ marker, topics }: MarkerOrder): Entry {
  return { ...marker, topics: [...topics].map(([name, ids]) => ({ name, partitionIndexes: [...ids] })) }
}

function outcomeOf(
  { marker }: MarkerOrder,
  response: MarkersResponse | undefined,
): Parameters<MarkerOrder['settle']>[0] {
  const answer = response?.markers.find(({ producerId }) => producerId === marker.producerId)
  if (answer === undefined) return undefined
  return (topic, partition) =>
    answer.topics
      .find(({ name }) => name === topic)
      ?.partitions.find(({ partitionIndex }) => partitionIndex === partition)?.errorCode
}
