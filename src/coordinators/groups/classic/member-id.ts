import type { Runtime } from '../../../runtime/runtime.ts'

/** `client-6f7a…`: the name that somebody goes by, and a uuid (RFC 9562, version 4) drawn from the seed. */
export function newMemberId(runtime: Runtime, prefix: string): string {
  const draw = (n: number) => runtime.choose('member-id', n)
  const hex = (digits: number) =>
    draw(16 ** digits)
      .toString(16)
      .padStart(digits, '0')
  const variant = (8 + draw(4)).toString(16)
  return `${prefix}-${hex(8)}-${hex(4)}-4${hex(3)}-${variant}${hex(3)}-${hex(6)}${hex(6)}`
}
