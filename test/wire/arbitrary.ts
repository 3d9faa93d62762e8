import fc from 'fast-check'
import { Records } from '../../src/wire/records.ts'
import { type AnyField, defaultOf, type Fields } from '../../src/wire/schema.ts'

/** Values of a message in one version, made from its declaration: fields that the version lacks have their default. */
export function arbitraryOf(fields: Fields, version: number): fc.Arbitrary<Record<string, unknown>> {
  const arbitraries: Record<string, fc.Arbitrary<unknown>> = {}
  for (const [name, field] of Object.entries(fields)) {
    const { since, until } = field.spans
    const isHere = version >= since && version <= until
    arbitraries[name] = isHere ? fieldArbitrary(field, version) : fc.constant(null).map(() => defaultOf(field))
  }
  return fc.record(arbitraries, { noNullPrototype: true })
}

function fieldArbitrary(field: AnyField, version: number): fc.Arbitrary<unknown> {
  const present = presentArbitrary(field, version)
  const { nullableSince, tag } = field.spans
  const byDefault = fc.constant(null).map(() => defaultOf(field))
  const value = tag === undefined ? present : fc.oneof(present, byDefault)
  return version >= nullableSince ? fc.option(value, { freq: 4 }) : value
}

function presentArbitrary(field: AnyField, version: number): fc.Arbitrary<unknown> {
  switch (field.kind) {
    case 'boolean':
      return fc.boolean()
    case 'int8':
      return fc.integer({ min: -0x80, max: 0x7f })
    case 'int16':
      return fc.integer({ min: -0x8000, max: 0x7fff })
    case 'uint16':
      return fc.integer({ min: 0, max: 0xffff })
    case 'int32':
      return fc.integer({ min: -0x80000000, max: 0x7fffffff })
    case 'uint32':
      return fc.integer({ min: 0, max: 0xffffffff })
    case 'hash64':
      return fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: 16, maxLength: 16 })
    case 'int64':
      return fc.oneof(
        { weight: 8, arbitrary: fc.maxSafeInteger() },
        { weight: 1, arbitrary: fc.constantFrom(Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY) },
      )
    case 'float64':
      return fc.double()
    case 'uuid':
      return bytes(16, 16).map(id => Buffer.from(id).toString('base64url'))
    case 'string':
      return fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ minLength: 60, maxLength: 200 }))
    case 'bytes':
      return bytes(0, 200)
    case 'records':
      return fc.array(bytes(1, 100), { maxLength: 3 }).map(slices => new Records(slices))
    case 'array':
      return fc.array(fieldArbitrary(field.element!, version), { maxLength: 3 })
    case 'struct':
      return arbitraryOf(field.fields!, version)
  }
}

function bytes(minLength: number, maxLength: number): fc.Arbitrary<Uint8Array> {
  return fc.uint8Array({ minLength, maxLength })
}
