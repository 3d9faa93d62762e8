/** A fault that a test ordered, and whether it ever came about. */
export interface ScriptedFault {
  /** As the test wrote it. */
  readonly what: string
  readonly hits: number
  /** It may stay unused. */
  readonly optional: boolean
}

/** Faults were ordered that never came about: the test did not test what it says. */
export class FaultsNeverFiredError extends Error {
  override readonly name = 'FaultsNeverFiredError'
  readonly faults: readonly string[]

  constructor(faults: readonly string[]) {
    const these = faults.length === 1 ? 'a fault never fired' : `${faults.length} faults never fired`
    super(
      [
        `${these}, so this test did not test what it says:`,
        ...faults.map(fault => `  ${fault}`),
        'Say `optional: true` for one that may stay unused.',
      ].join('\n'),
    )
    this.faults = faults
  }
}

/** Every fault that was ordered on a cluster, also those that were lifted since. */
export class ScriptedFaults {
  readonly #faults: ScriptedFault[] = []

  add(fault: ScriptedFault): void {
    this.#faults.push(fault)
  }

  /** What never came about, though it was not optional. */
  neverFired(): string[] {
    return this.#faults.filter(fault => fault.hits === 0 && !fault.optional).map(fault => fault.what)
  }

  /** @throws {FaultsNeverFiredError} that names them. */
  assertFired(): void {
    const never = this.neverFired()
    if (never.length > 0) throw new FaultsNeverFiredError(never)
  }
}
