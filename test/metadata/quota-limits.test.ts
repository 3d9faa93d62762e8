import { describe, expect, test } from 'vitest'
import { ClientQuotas } from '../../src/metadata/client-quotas.ts'
import { type ClientQuotaKey, QuotaLimits } from '../../src/metadata/quota-limits.ts'

type Name = string | null | undefined
const key: ClientQuotaKey = 'producer_byte_rate'

function quotasOf(...all: readonly (readonly [user: Name, client: Name, value: number])[]) {
  const quotas = new ClientQuotas()
  for (const [user, client, value] of all) set(quotas, user, client, value)
  return { quotas, limits: new QuotaLimits(quotas, key) }
}

function set(quotas: ClientQuotas, user: Name, client: Name, value: number | undefined, of: string = key): void {
  const entity = [
    ...(user === undefined ? [] : [{ entityType: 'user', entityName: user }]),
    ...(client === undefined ? [] : [{ entityType: 'client-id', entityName: client }]),
  ]
  quotas.apply({
    type: 'ClientQuotaRecord',
    entity,
    key: of,
    value: value ?? 0,
    remove: value === undefined,
  } as Parameters<ClientQuotas['apply']>[0])
}

/** From the most specific to the least (M-30). */
const levels: readonly (readonly [user: Name, client: Name])[] = [
  ['alice', 'c'],
  ['alice', null],
  ['alice', undefined],
  [null, 'c'],
  [null, null],
  [null, undefined],
  [undefined, 'c'],
  [undefined, null],
]

describe('of all quotas that meet a client the most specific one holds (M-30)', () => {
  test('as one after the other is removed', () => {
    const { quotas, limits } = quotasOf(...levels.map(([user, client], index) => [user, client, index + 1] as const))
    const held = levels.map(([user, client]) => {
      const { limit } = limits.of('alice', 'c')
      set(quotas, user, client, undefined)
      return limit
    })
    expect(held).toEqual([1, 2, 3, 4, 5, 6, 7, 8])
    expect(limits.isInForce).toBe(false)
  })

  test.each(levels)('user %s, client id %s alone is everybody’s whom it means', (user, client) => {
    const { limits } = quotasOf([user, client, 7])
    expect(limits.of('alice', 'c').limit).toBe(7)
    const isMeant = user !== 'alice' && client !== 'c'
    expect(limits.of('bob', 'd').limit).toBe(isMeant ? 7 : Number.POSITIVE_INFINITY)
  })
})

describe('who shares a limit', () => {
  const sameOf = (limits: QuotaLimits, a: readonly [string, string], b: readonly [string, string]) =>
    limits.of(...a).name === limits.of(...b).name

  test('all clients of a user, of a user’s quota', () => {
    const { limits } = quotasOf(['alice', undefined, 1])
    expect(sameOf(limits, ['alice', 'a'], ['alice', 'b'])).toBe(true)
    expect(sameOf(limits, ['alice', 'a'], ['bob', 'a'])).toBe(false)
  })

  test('all users of a client id, of a client id’s quota', () => {
    const { limits } = quotasOf([undefined, null, 1])
    expect(sameOf(limits, ['alice', 'a'], ['bob', 'a'])).toBe(true)
    expect(sameOf(limits, ['alice', 'a'], ['alice', 'b'])).toBe(false)
  })

  test('nobody, of a quota of user and client id', () => {
    const { limits } = quotasOf(['alice', null, 1])
    expect(sameOf(limits, ['alice', 'a'], ['alice', 'b'])).toBe(false)
    expect(sameOf(limits, ['alice', 'a'], ['bob', 'a'])).toBe(false)
  })

  test('with quotas of several levels, those of the level that holds for each', () => {
    const { limits } = quotasOf(['alice', 'a', 1], [null, undefined, 2], [undefined, 'a', 3])
    expect(limits.of('alice', 'a').limit).toBe(1)
    expect(limits.of('alice', 'b').limit).toBe(2)
    expect(sameOf(limits, ['bob', 'a'], ['bob', 'b'])).toBe(true)
    expect(sameOf(limits, ['alice', 'a'], ['alice', 'b'])).toBe(false)
  })
})

test('quotas of other keys, and of addresses, are no quotas of this one', () => {
  const { quotas, limits } = quotasOf()
  set(quotas, 'alice', undefined, 5, 'consumer_byte_rate')
  expect(limits.isInForce).toBe(false)
  expect(limits.of('alice', 'c').limit).toBe(Number.POSITIVE_INFINITY)
  set(quotas, 'alice', undefined, 6)
  expect(limits.of('alice', 'c').limit).toBe(6)
})

test('a user whose name means "default" elsewhere is a user', () => {
  const { limits } = quotasOf(['true', undefined, 5], [null, undefined, 6])
  expect(limits.of('true', 'c').limit).toBe(5)
  expect(limits.of('null', 'c').limit).toBe(6)
})
