/** What nobody has used for so long is forgotten (Kafka's INACTIVE_SENSOR_EXPIRATION_TIME_SECONDS). */
const FORGOTTEN_AFTER_MS = 3_600_000

/** One account for each name, made when it is first asked for, and anew after an hour without use. */
export class Recent<T extends { readonly usedAt: number }> {
  readonly #make: () => T
  readonly #all = new Map<string, T>()

  constructor(make: () => T) {
    this.#make = make
  }

  get size(): number {
    return this.#all.size
  }

  of(name: string, now: number): T {
    const known = this.#all.get(name)
    if (known !== undefined && now - known.usedAt <= FORGOTTEN_AFTER_MS) return known
    for (const [other, { usedAt }] of this.#all) if (now - usedAt > FORGOTTEN_AFTER_MS) this.#all.delete(other)
    const made = this.#make()
    this.#all.set(name, made)
    return made
  }
}
