/**
 * A store around any store (the third door for faults): slow, failing, torn, as rules given as data say. A fault that
 * fires is told to whoever writes the trace. Without rules it adds nothing, not even a promise.
 *
 * Calls to one replica's store that come while a slow one is open wait behind it: a disk does not reorder. A new `open`
 * begins a new life: what still waited in the old one is dropped, as it is when a broker dies with its disk busy.
 */

import type { Runtime } from '../runtime/runtime.ts'
import { KafkaError } from '../wire/errors.ts'
import { RecordBatch } from '../wire/record-batch.ts'
import { isLater } from './eventually.ts'
import type {
  Eventually,
  LogStore,
  LogStores,
  ReplicaName,
  StoreBounds,
  StoresBeginning,
  TopicNews,
} from './log-store.ts'

export type StoreOperation = Exclude<keyof LogStore, 'close'>

/** One call to a store, as a rule's `when` sees it. */
export interface StoreCall {
  readonly operation: StoreOperation
  readonly replica: ReplicaName
  /** Of an append. */
  readonly batch?: RecordBatch
}

interface StoreRule {
  /** Default `append`. */
  readonly operation?: StoreOperation | readonly StoreOperation[]
  readonly broker?: number
  readonly topic?: string
  readonly partition?: number
  readonly when?: (call: StoreCall) => boolean
  /** Only the nth call that fits, counted from 1. */
  readonly nth?: number
  /** How often it fires; default 1 with `nth`, and for `torn`, else without end. */
  readonly times?: number
  /** It may never fire, and that is no mistake of the test. */
  readonly optional?: boolean
}

/** The call takes `delayMs` longer. */
export interface SlowRule extends StoreRule {
  readonly fault: 'slow'
  readonly delayMs: number
}

/** The call is refused with KAFKA_STORAGE_ERROR. With `applied`, it took effect all the same. */
export interface FailingRule extends StoreRule {
  readonly fault: 'failing'
  readonly applied?: boolean
}

/**
 * The disk dies in the middle of an append: refused, and so is every further call until the store is opened again. Then
 * the batch is gone, or, with `keeps: 'part'`, there with bytes that its CRC does not fit.
 */
export interface TornRule extends StoreRule {
  readonly fault: 'torn'
  /** Default `part`. */
  readonly keeps?: 'part' | 'nothing'
}

export type StoreFaultRule = SlowRule | FailingRule | TornRule

export interface StoreFault {
  readonly rule: StoreFaultRule
  readonly call: StoreCall
}

/** Stores with faults. `bind` gives them the runtime, for slow rules, and the trace. */
export function faultyLogs(stores: LogStores, rules: readonly StoreFaultRule[] = []): FaultyStores {
  return new FaultyStores(stores, rules)
}

interface Armed {
  readonly rule: StoreFaultRule
  matched: number
  fired: number
}

export class FaultyStores implements LogStores {
  readonly realIo: boolean
  readonly #stores: LogStores
  readonly #armed: Armed[] = []
  readonly #faulty = new Map<string, FaultyStore>()
  #runtime: Runtime | undefined
  #onFault: ((fault: StoreFault) => void) | undefined

  constructor(stores: LogStores, rules: readonly StoreFaultRule[]) {
    this.realIo = stores.realIo
    this.#stores = stores
    for (const rule of rules) this.rule(rule)
  }

  begin(): Eventually<StoresBeginning | undefined> {
    return this.#stores.begin?.()
  }

  bind(runtime: Runtime, onFault?: (fault: StoreFault) => void): void {
    this.#runtime = runtime
    this.#onFault = onFault
    this.#stores.bind?.(runtime, fault => onFault?.(fault))
  }

  topics(news: TopicNews): Eventually<void> {
    return this.#stores.topics?.(news)
  }

  /** One more rule; the first that fits a call decides. Disposing lifts it. */
  rule(rule: StoreFaultRule): Disposable & { readonly hits: number } {
    const armed: Armed = { rule, matched: 0, fired: 0 }
    this.#armed.push(armed)
    return {
      get hits() {
        return armed.fired
      },
      [Symbol.dispose]: () => {
        const at = this.#armed.indexOf(armed)
        if (at >= 0) this.#armed.splice(at, 1)
      },
    }
  }

  /** Rules that are in force, not optional, and never fired. */
  get unfired(): readonly StoreFaultRule[] {
    return this.#armed.filter(({ rule, fired }) => fired === 0 && rule.optional !== true).map(({ rule }) => rule)
  }

  store(replica: ReplicaName): FaultyStore {
    const key = `${replica.broker}/${replica.topicId}/${replica.topic}/${replica.partition}`
    let store = this.#faulty.get(key)
    if (store === undefined) {
      store = new FaultyStore(this.#stores.store(replica), replica, this)
      this.#faulty.set(key, store)
    }
    return store
  }

  /** The rule that fires for this call, if any; it has fired then. */
  faultFor(call: StoreCall): StoreFaultRule | undefined {
    for (const armed of this.#armed) {
      const { rule } = armed
      if (!fits(rule, call)) continue
      armed.matched++
      if (rule.nth !== undefined && armed.matched !== rule.nth) continue
      const once = rule.nth !== undefined || rule.fault === 'torn'
      if (armed.fired >= (rule.times ?? (once ? 1 : Number.POSITIVE_INFINITY))) continue
      armed.fired++
      this.#onFault?.({ rule, call })
      return rule
    }
    return undefined
  }

  sleep(ms: number): Promise<void> {
    if (this.#runtime === undefined) throw new Error('a slow store needs a runtime: call bind() first')
    return this.#runtime.sleep(ms)
  }

  wipe(broker: number): Eventually<void> {
    this.#forget(replica => replica.broker === broker)
    return this.#stores.wipe(broker)
  }

  powerOff(broker: number): Eventually<void> {
    return this.#stores.powerOff(broker)
  }

  remove(replica: ReplicaName): Eventually<void> {
    const { broker, topicId, partition } = replica
    this.#forget(each => each.broker === broker && each.topicId === topicId && each.partition === partition)
    return this.#stores.remove(replica)
  }

  close(): Eventually<void> {
    this.#faulty.clear()
    return this.#stores.close()
  }

  #forget(gone: (replica: ReplicaName) => boolean): void {
    for (const [key, store] of this.#faulty) if (gone(store.replica)) this.#faulty.delete(key)
  }
}

function fits(rule: StoreRule, call: StoreCall): boolean {
  const { operation = 'append' } = rule
  if (typeof operation === 'string' ? operation !== call.operation : !operation.includes(call.operation)) return false
  if (rule.broker !== undefined && rule.broker !== call.replica.broker) return false
  if (rule.topic !== undefined && rule.topic !== call.replica.topic) return false
  if (rule.partition !== undefined && rule.partition !== call.replica.partition) return false
  return rule.when?.(call) ?? true
}

export class FaultyStore implements LogStore {
  readonly replica: ReplicaName
  readonly #store: LogStore
  readonly #faults: FaultyStores
  /** The last call that was slow, or waited behind a slow one. */
  #busy: Promise<unknown> | undefined
  #life = 0
  #dead = false

  constructor(store: LogStore, replica: ReplicaName, faults: FaultyStores) {
    this.#store = store
    this.replica = replica
    this.#faults = faults
  }

  open(): Eventually<StoreBounds> {
    this.#life++
    this.#dead = false
    this.#busy = undefined
    return this.#call({ operation: 'open', replica: this.replica }, () => this.#store.open())
  }

  append(expectedEnd: number, batch: RecordBatch): Eventually<void> {
    return this.#call({ operation: 'append', replica: this.replica, batch }, torn => {
      if (torn === undefined) return this.#store.append(expectedEnd, batch)
      if (torn.keeps === 'nothing' || batch.body.length === 0) return undefined
      return this.#store.append(expectedEnd, damaged(batch))
    })
  }

  read(from: number, maxBytes: number): Eventually<RecordBatch[]> {
    return this.#call({ operation: 'read', replica: this.replica }, () => this.#store.read(from, maxBytes))
  }

  truncateTo(end: number): Eventually<number> {
    return this.#call({ operation: 'truncateTo', replica: this.replica }, () => this.#store.truncateTo(end))
  }

  trimBefore(start: number): Eventually<void> {
    return this.#call({ operation: 'trimBefore', replica: this.replica }, () => this.#store.trimBefore(start))
  }

  replace(from: number, to: number, batches: readonly RecordBatch[]): Eventually<void> {
    return this.#call({ operation: 'replace', replica: this.replica }, () => this.#store.replace(from, to, batches))
  }

  resetTo(start: number): Eventually<void> {
    return this.#call({ operation: 'resetTo', replica: this.replica }, () => this.#store.resetTo(start))
  }

  flush(end: number): Eventually<void> {
    return this.#call({ operation: 'flush', replica: this.replica }, () => this.#store.flush(end))
  }

  save(name: string, bytes: Uint8Array): Eventually<void> {
    return this.#call({ operation: 'save', replica: this.replica }, () => this.#store.save(name, bytes))
  }

  load(name: string): Eventually<Uint8Array | undefined> {
    return this.#call({ operation: 'load', replica: this.replica }, () => this.#store.load(name))
  }

  close(): Eventually<void> {
    const busy = this.#busy
    return busy === undefined ? this.#store.close() : busy.catch(() => undefined).then(() => this.#store.close())
  }

  #call<T>(call: StoreCall, run: (torn?: TornRule) => Eventually<T>): Eventually<T> {
    const rule = this.#faults.faultFor(call)
    const act = () => this.#act(call, rule, run)
    const busy = this.#busy
    if (busy === undefined && rule?.fault !== 'slow') return act()
    const life = this.#life
    const turn = this.#turn(busy, rule).then(() => {
      if (life !== this.#life) throw this.#refusal(call, 'was still to come when the store was opened anew')
      return act()
    })
    this.#busy = turn
    const idle = () => {
      if (this.#busy === turn) this.#busy = undefined
    }
    turn.then(idle, idle)
    return turn
  }

  async #turn(busy: Promise<unknown> | undefined, rule: StoreFaultRule | undefined): Promise<void> {
    await busy?.catch(() => undefined)
    if (rule?.fault === 'slow') await this.#faults.sleep(rule.delayMs)
  }

  #act<T>(call: StoreCall, rule: StoreFaultRule | undefined, run: (torn?: TornRule) => Eventually<T>): Eventually<T> {
    if (this.#dead) throw this.#refusal(call, 'came after the disk had died')
    if (rule === undefined || rule.fault === 'slow') return run()
    const refusal = this.#refusal(call, rule.fault === 'torn' ? 'was torn: the disk died' : 'failed as a rule says')
    if (rule.fault === 'torn') this.#dead = true
    const effect = rule.fault === 'torn' ? run(rule) : rule.applied === true ? run() : undefined
    if (!isLater(effect)) throw refusal
    return effect.then(() => {
      throw refusal
    })
  }

  #refusal(call: StoreCall, what: string): KafkaError {
    const { broker, topic, partition } = this.replica
    const where = `${topic}-${partition} on broker ${broker}`
    return new KafkaError('KAFKA_STORAGE_ERROR', `${call.operation} of ${where} ${what}`)
  }
}

/** As if the second half had never reached the disk: same length, other bytes, under the same CRC. */
function damaged(batch: RecordBatch): RecordBatch {
  // Not `slice`, which is a view where the body is a Buffer: then the other replicas' would be damaged as well.
  const body = new Uint8Array(batch.body)
  for (let at = body.length >> 1; at < body.length; at++) body[at] = body[at]! ^ 0xff
  return new RecordBatch(new Uint8Array(batch.head), body)
}
