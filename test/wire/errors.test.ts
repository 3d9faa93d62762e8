import { describe, expect, test } from 'vitest'
import { errorSentences } from '../../src/wire/error-sentences.ts'
import {
  BufferExhaustedError,
  errorCodes,
  errorOf,
  errorTable,
  IllegalStateError,
  KafkaError,
} from '../../src/wire/errors.ts'
import { vectors } from './vectors.ts'

interface KafkasError {
  code: number
  name: string
  exception: string | null
  retriable: boolean
  refreshMetadata: boolean
  extends: string[]
}

const kafka = vectors<{ errors: KafkasError[] }>('errors').errors

describe("the error table is Kafka's (§1.6)", () => {
  test('has its 135 rows from -1 to 133, in order', () => {
    expect(errorTable.map(entry => entry.code)).toEqual(Array.from({ length: 135 }, (_, i) => i - 1))
    expect(kafka).toHaveLength(135)
  })

  test.each(kafka)('$name', row => {
    const { [row.name as keyof typeof errorCodes]: code } = errorCodes
    expect(code).toBe(row.code)
    expect(errorOf(row.code)).toEqual({
      code: row.code,
      name: row.name,
      exception: row.exception ?? '',
      retriable: row.retriable,
      refreshesMetadata: row.refreshMetadata,
      applicationRecoverable: row.extends.includes('ApplicationRecoverableException'),
      abortable: row.name === 'TRANSACTION_ABORTABLE',
      fatalSetup: row.extends.includes('InvalidConfigurationException'),
      authorization: row.extends.includes('AuthorizationException'),
      authentication: row.extends.includes('AuthenticationException'),
    })
  })

  test('a code of later days is UNKNOWN_SERVER_ERROR (W-50)', () => {
    for (const code of [134, 999, -2, 32767]) expect(errorOf(code).name).toBe('UNKNOWN_SERVER_ERROR')
    expect(KafkaError.of(134)).toMatchObject({ code: -1, errorName: 'UNKNOWN_SERVER_ERROR' })
  })
})

describe('a KafkaError', () => {
  test('says its code, its name and what it means', () => {
    const error = new KafkaError('NOT_LEADER_OR_FOLLOWER')
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      code: 6,
      errorName: 'NOT_LEADER_OR_FOLLOWER',
      name: 'NotLeaderOrFollowerError',
      exception: 'NotLeaderOrFollowerException',
      retriable: true,
      refreshesMetadata: true,
      ownMessage: null,
      message: 'NOT_LEADER_OR_FOLLOWER: the broker asked is not the leader of the partition, or keeps no replica of it',
    })
    expect(String(error)).toMatch(/^NotLeaderOrFollowerError: NOT_LEADER_OR_FOLLOWER: /)
  })

  test('keeps the message and the details it is given', () => {
    const error = KafkaError.of(87, 'one record has no key', { records: [1] })
    expect(error).toMatchObject({
      errorName: 'INVALID_RECORD',
      message: 'one record has no key',
      ownMessage: 'one record has no key',
      details: { records: [1] },
    })
    expect(KafkaError.of(87, null).ownMessage).toBeNull()
  })

  test('falls back to the bare name where there is no sentence', () => {
    expect(new KafkaError('STREAMS_TOPOLOGY_FENCED').message).toBe('STREAMS_TOPOLOGY_FENCED')
    expect(errorSentences.STREAMS_TOPOLOGY_FENCED).toBeUndefined()
  })

  test('is named even where Kafka forgot the word Exception', () => {
    expect(new KafkaError('OFFSET_METADATA_TOO_LARGE').name).toBe('OffsetMetadataTooLargeError')
    expect(new KafkaError('INVALID_REGULAR_EXPRESSION').name).toBe('InvalidRegularExpressionError')
  })
})

test('an exhausted buffer is a timeout, as in the Java producer', () => {
  const error = new BufferExhaustedError('no room')
  expect(error).toBeInstanceOf(KafkaError)
  expect(error).toMatchObject({ name: 'BufferExhaustedError', errorName: 'REQUEST_TIMED_OUT', retriable: true })
})

test('errors without a code say their name', () => {
  expect(String(new IllegalStateError('closed'))).toBe('IllegalStateError: closed')
})
