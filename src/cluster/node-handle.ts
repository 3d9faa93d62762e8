import { Life } from '../node/life.ts'
import { IllegalStateError } from '../wire/errors.ts'
import { refuseUnknown } from './options.ts'
import type { Plant } from './plant.ts'

export type NodeState = 'running' | 'paused' | 'stopped' | 'crashed' | 'powered off'

export interface RestartOptions {
  /** `'kept'` (default): as the last life left it. `'empty'`: every log of this node is gone. */
  readonly disk?: 'kept' | 'empty'
  /** Wait until the node takes part again; default true. False: until its process runs. */
  readonly ready?: boolean
}

/** A node as a test holds it: the verbs of its process, over all of its lives. */
export abstract class NodeHandle {
  readonly id: number
  /** As the trace and the rules of the network name it. */
  readonly name: string
  readonly #plant: Plant
  #life: Life | undefined
  #state: NodeState = 'stopped'

  constructor(plant: Plant, id: number, name: string) {
    this.#plant = plant
    this.id = id
    this.name = name
  }

  /** Not a property, so that whoever prints a node does not print the passwords of the cluster. */
  protected get plant(): Plant {
    return this.#plant
  }

  get state(): NodeState {
    return this.#state
  }

  get isRunning(): boolean {
    return this.#state === 'running'
  }

  get isPaused(): boolean {
    return this.#state === 'paused'
  }

  /** Makes the process of a new life and starts it. */
  protected abstract boot(life: Life): void
  /** Takes part in the cluster. */
  protected abstract get isReady(): boolean
  /** Leaves politely; the life ends afterwards. */
  protected abstract leave(): Promise<void>
  /** The process died: nothing of it writes any more. */
  protected abstract abandon(): void

  /** What a new life needs before it starts. */
  protected async prepare(): Promise<void> {}

  /** Starts the first life, or the next one: at once. */
  start(): void {
    const life = new Life(this.plant.runtime)
    this.#life = life
    this.#state = 'running'
    this.boot(life)
  }

  /** Controlled shutdown: leaderships are given away first, then every log is closed cleanly. */
  async stop(): Promise<void> {
    await this.verb('stop', ['running'], async () => {
      const { runtime } = this.plant
      const died = runtime.deferred<never>()
      this.#life?.onEnd(() => died.reject(new IllegalStateError(`${this.name} died while it was stopping`)))
      try {
        await Promise.race([this.leave(), died.promise])
      } catch (error) {
        // A store that fails on the way out: the process is gone, and did not end cleanly.
        if (this.isRunning) this.#end('crashed')
        throw error
      }
      this.#end('stopped')
    })
  }

  /** The process dies here and now. What was appended stays; connections break. */
  async crash(): Promise<void> {
    await this.verb('crash', ['running', 'paused'], () => this.#end('crashed'))
  }

  /** The machine loses power: as `crash`, and what was not flushed is lost too (`flush.messages`, `flush.ms`). */
  async powerOff(): Promise<void> {
    await this.verb('powerOff', ['running', 'paused'], async () => {
      this.#end('powered off')
      await this.plant.stores.powerOff(this.id)
    })
  }

  /** Starts again with the same identity; a node that still runs is stopped first. */
  async restart(options: RestartOptions = {}): Promise<void> {
    refuseUnknown('option of restart', options, ['disk', 'ready'])
    const { disk = 'kept', ready = true } = options
    if (disk !== 'kept' && disk !== 'empty') {
      throw new RangeError(`restart({ disk }) takes 'kept' or 'empty', not ${JSON.stringify(disk)}`)
    }
    if (this.#state === 'paused') await this.resume()
    if (this.#state === 'running') await this.stop()
    await this.verb('restart', ['stopped', 'crashed', 'powered off'], async () => {
      if (disk === 'empty') await this.wipe()
      await this.prepare()
      this.start()
      if (ready) await this.plant.runtime.until(() => this.isReady || !this.isRunning).promise
    })
  }

  /** The process stops running, as by SIGSTOP: its connections stay, nothing on it happens. */
  async pause(): Promise<void> {
    await this.verb('pause', ['running'], () => {
      this.#state = 'paused'
      this.#life?.pause()
    })
  }

  /** What was withheld happens now, in its order. */
  async resume(): Promise<void> {
    await this.verb('resume', ['paused'], () => {
      this.#state = 'running'
      this.#life?.resume()
    })
  }

  /** The cluster closes: no politeness. */
  close(): void {
    if (this.#life !== undefined && !this.#life.isOver) this.#end('stopped')
  }

  protected async wipe(): Promise<void> {
    await this.plant.stores.wipe(this.id)
  }

  /**
   * A verb is an event of the queue: everything before it has happened, nothing after it. What the node must be is looked
   * at now, and again when its turn comes: another verb may have come first.
   */
  protected async verb(what: string, from: readonly NodeState[], run: () => Promise<void> | void): Promise<void> {
    this.#require(what, from)
    const { runtime } = this.plant
    await runtime.drive(`${this.name}.${what}()`, () => {
      const done = runtime.deferred()
      runtime.after(
        0,
        () => {
          try {
            this.#require(what, from)
            runtime.trace.add('node', this.name, { what })
            const running = run()
            if (running instanceof Promise)
              return running.then(
                () => done.resolve(),
                error => done.reject(error),
              )
            done.resolve()
          } catch (error) {
            done.reject(error)
          }
        },
        { housekeeping: false },
      )
      return done.promise
    })
  }

  /** Nobody asked for it: its process ended, and somebody who watches over it starts the next one. */
  protected restartAfterDeath(): void {
    this.#end('crashed')
    this.start()
  }

  #end(state: NodeState): void {
    this.#state = state
    this.abandon()
    this.#life?.end()
  }

  #require(verb: string, from: readonly NodeState[]): void {
    if (from.includes(this.#state)) return
    throw new IllegalStateError(`${this.name} is ${this.#state}: only one that is ${from.join(' or ')} can ${verb}`)
  }
}
