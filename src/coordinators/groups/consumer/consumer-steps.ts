import type { GroupEnvironment } from '../group-environment.ts'
import type { GroupRecordInput } from '../group-records.ts'
import type { GroupShard } from '../group-shard.ts'
import type { GroupState } from '../group-state.ts'
import type { ConsumerGroup } from './consumer-group.ts'

export type Eventually<T> = T | Promise<T>

/** What was decided about one group. */
export interface Step<Response> {
  readonly records: readonly GroupRecordInput[]
  readonly response: Response
  /** Once the records are replayed: timers. */
  readonly then?: () => void
  /** For the trace. */
  readonly reason?: string
}

/** Decisions about the consumer groups of one shard: written, replayed, told in the trace, one line for each change. */
export class ConsumerSteps {
  readonly environment: GroupEnvironment
  readonly #group: GroupShard

  constructor(group: GroupShard) {
    this.#group = group
    this.environment = group.environment
  }

  /** What a request asks for. @throws {KafkaError} as `Shard.write` does, and `decide` */
  decide<Response>(groupId: string, decide: (state: GroupState) => Step<Response>): Eventually<Response> {
    let step: Step<Response> | undefined
    const answer = this.#group.shard.write(state => {
      step = decide(state)
      return step
    })
    this.#done(groupId, step!)
    return answer
  }

  /** What follows when a time has come, if the group is there by then and it still does. It is progress of the test. */
  schedule(
    key: string,
    ms: number,
    groupId: string,
    decide: (group: ConsumerGroup) => Step<undefined> | undefined,
  ): void {
    this.#group.shard.schedule(
      key,
      ms,
      ({ groups }) => {
        const group = groups.get(groupId)
        const step = group?.type === 'consumer' ? decide(group) : undefined
        if (step === undefined) return undefined
        const settled = (error: unknown) => {
          if (error === undefined) this.#done(groupId, step)
        }
        return { records: step.records, response: undefined, settled }
      },
      { housekeeping: false },
    )
  }

  isScheduled(key: string): boolean {
    return this.#group.shard.timers.has(key)
  }

  cancel(key: string): void {
    this.#group.shard.timers.cancel(key)
  }

  #done(groupId: string, { records, then, reason }: Step<unknown>): void {
    if (records.length > 0) this.trace(groupId, reason)
    then?.()
  }

  trace(groupId: string, reason: string | undefined): void {
    const { runtime, name } = this.environment
    const group = this.#group.shard.latest.groups.get(groupId)
    if (group?.type !== 'consumer') return
    const { state, groupEpoch: epoch, assignmentEpoch, members } = group
    const because = reason === undefined ? {} : { reason }
    runtime.trace.add('group', name, {
      what: groupId,
      state,
      epoch,
      assignmentEpoch,
      members: members.size,
      ...because,
    })
  }
}
