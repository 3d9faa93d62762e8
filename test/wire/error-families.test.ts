import { expect, test } from 'vitest'
import * as families from '../../src/wire/error-families.ts'
import { BufferExhaustedError, type ErrorName, KafkaError, RebalanceInProgressError } from '../../src/wire/errors.ts'
import { vectors } from './vectors.ts'

interface KafkasError {
  readonly name: ErrorName
  readonly exception: string | null
  readonly extends: readonly string[]
}

const kafka = vectors<{ errors: KafkasError[] }>('errors').errors.filter(({ exception }) => exception !== null)

const exceptionOf = (name: string) => `${name.slice(0, -'Error'.length)}Exception`
const all = Object.entries(families).map(([name, family]) => [exceptionOf(name), family] as const)

test('every family that two exceptions of Kafka share is one of ours', () => {
  const shared = new Set(kafka.flatMap(row => row.extends))
  // OFFSET_OUT_OF_RANGE is the only code of InvalidOffsetException.
  shared.delete('InvalidOffsetException')
  expect(all.map(([exception]) => exception)).toEqual(expect.arrayContaining([...shared]))
})

test.each(kafka)("$name belongs to the families of Kafka's $exception, and to no other", row => {
  const ours = all.filter(([, family]) => new KafkaError(row.name) instanceof family).map(([exception]) => exception)
  const names = all.map(([exception]) => exception)
  const theirs = [row.exception!, ...row.extends].filter(exception => names.includes(exception))
  expect(ours.sort()).toEqual(theirs.sort())
})

test('errors with a class of their own belong to families, too', () => {
  expect(new BufferExhaustedError('no room')).toBeInstanceOf(families.TimeoutError)
  expect(new BufferExhaustedError('no room')).toBeInstanceOf(families.RetriableError)
  expect(new RebalanceInProgressError('wait')).not.toBeInstanceOf(families.RetriableError)
})

test('what is no KafkaError belongs to none', () => {
  const strangers = [new Error('x'), new TypeError('x'), undefined, { code: 7, retriable: true }]
  for (const [, family] of all) {
    for (const stranger of strangers) expect((stranger as object) instanceof family).toBe(false)
  }
})

test('six codes and those of authentication are fatal (C-54)', () => {
  const fatal = kafka.filter(({ name }) => new KafkaError(name).fatal).map(({ name }) => name)
  expect(fatal.sort()).toEqual([
    'CLUSTER_AUTHORIZATION_FAILED',
    'FENCED_INSTANCE_ID',
    'ILLEGAL_SASL_STATE',
    'INVALID_PRODUCER_ID_MAPPING',
    'PRODUCER_FENCED',
    'SASL_AUTHENTICATION_FAILED',
    'TRANSACTIONAL_ID_AUTHORIZATION_FAILED',
    'UNSUPPORTED_SASL_MECHANISM',
    'UNSUPPORTED_VERSION',
  ])
  expect(kafka.filter(({ name }) => new KafkaError(name).abortable).map(({ name }) => name)).toEqual([
    'TRANSACTION_ABORTABLE',
  ])
})

test('nothing is fatal and retriable at once', () => {
  const both = kafka.map(({ name }) => new KafkaError(name)).filter(({ fatal, retriable }) => fatal && retriable)
  expect(both).toEqual([])
})

test('a cause among the details is the cause of the error', () => {
  const cause = new KafkaError('UNKNOWN_TOPIC_OR_PARTITION')
  expect(new KafkaError('REQUEST_TIMED_OUT', 'no such topic', { cause }).cause).toBe(cause)
  expect('cause' in new KafkaError('REQUEST_TIMED_OUT', 'late', { cause: undefined })).toBe(false)
})
