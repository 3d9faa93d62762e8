/** A call that virtual time cannot bring to an end, with what it was waiting for. */
export class PatienceError extends Error {
  override readonly name = 'PatienceError'
}

/** `idleMs`: of nothing but housekeeping; undefined: nothing is left at all. `on`: what the calls wait for, if it is known. */
export function patienceError(
  idleMs: number | undefined,
  calls: readonly string[],
  on: readonly string[],
): PatienceError {
  const why =
    idleMs === undefined
      ? 'nothing is left that could happen in virtual time'
      : `nothing but housekeeping has happened for ${idleMs / 1000} s of virtual time`
  const lines = [
    `${why}, and still waiting:`,
    ...calls.map(what => `  ${what}`),
    ...(on.length > 0 ? ['on:', ...on.map(what => `  ${what}`)] : []),
    "If it waits for real I/O of the test, hand that promise to cluster.outside(), or use time: 'real'.",
  ]
  return new PatienceError(lines.join('\n'))
}
