import { expectTypeOf, test } from 'vitest'
import type { fetch } from '../../src/apis/fetch.ts'
import { produce } from '../../src/apis/produce.ts'
import type { MetadataRecord, MetadataRecordInput, MetadataRecordOf } from '../../src/metadata/records.ts'
import {
  defineApi,
  type RequestInput,
  type RequestOf,
  type ResponseInput,
  type ResponseOf,
} from '../../src/wire/api.ts'
import type { Records } from '../../src/wire/records.ts'
import { int16, string } from '../../src/wire/schema.ts'

// Checked by the compiler; a wrong expectation is a type error in this file.

test('a decoded request has every field, with its type', () => {
  type Request = RequestOf<typeof produce>
  expectTypeOf<Request['transactionalId']>().toEqualTypeOf<string | null>()
  expectTypeOf<Request['acks']>().toEqualTypeOf<number>()
  type Topic = Request['topicData'][number]
  expectTypeOf<Topic['topicId']>().toEqualTypeOf<string>()
  expectTypeOf<Topic['partitionData'][number]['records']>().toEqualTypeOf<Records | null>()
  expectTypeOf<keyof Request>().toEqualTypeOf<'transactionalId' | 'acks' | 'timeoutMs' | 'topicData'>()
})

test('to encode, fields with a default or a span may be left out, the others not', () => {
  expectTypeOf<{ acks: number; timeoutMs: number; topicData: [] }>().toExtend<RequestInput<typeof produce>>()
  expectTypeOf<{ acks: number; topicData: [] }>().not.toExtend<RequestInput<typeof produce>>()
  expectTypeOf<{ acks: string; timeoutMs: number; topicData: [] }>().not.toExtend<RequestInput<typeof produce>>()
  expectTypeOf<{ responses: [] }>().toExtend<ResponseInput<typeof produce>>()
})

test('structs, tagged or not, keep their fields', () => {
  type Partition = ResponseOf<typeof fetch>['responses'][number]['partitions'][number]
  expectTypeOf<Partition['currentLeader']['leaderEpoch']>().toEqualTypeOf<number>()
  expectTypeOf<Partition['abortedTransactions']>().toExtend<readonly { firstOffset: number }[] | null>()
})

test('what was decoded can be encoded', () => {
  expectTypeOf<RequestOf<typeof produce>>().toExtend<RequestInput<typeof produce>>()
  expectTypeOf<ResponseOf<typeof fetch>>().toExtend<ResponseInput<typeof fetch>>()
  expectTypeOf<MetadataRecord>().toExtend<MetadataRecordInput>()
})

test('a handler sees its own broker, the decoded request, and answers what can be encoded', () => {
  interface Greeter {
    greet(name: string): string
  }
  const greet = defineApi({
    key: 99,
    name: 'Greet',
    versions: '0-1',
    request: { name: string, language: string.since(1).default('en') },
    response: { errorCode: int16, greeting: string.nullable() },
    broker: (broker: Greeter, request, { version }) => {
      expectTypeOf(request.language).toEqualTypeOf<string>()
      expectTypeOf(version).toEqualTypeOf<number>()
      return { errorCode: 0, greeting: broker.greet(request.name) }
    },
  })
  expectTypeOf<ResponseOf<typeof greet>['greeting']>().toEqualTypeOf<string | null>()
  expectTypeOf(produce.key).toEqualTypeOf<number>()
})

test('the type of a metadata record tells its fields', () => {
  expectTypeOf<MetadataRecordOf<'TopicRecord'>['topicId']>().toEqualTypeOf<string>()
  expectTypeOf<MetadataRecordOf<'PartitionChangeRecord'>['isr']>().toEqualTypeOf<readonly number[] | null>()
  expectTypeOf<{ type: 'PartitionChangeRecord'; topicId: string; leader: 2 }>().toExtend<MetadataRecordInput>()
  expectTypeOf<{ type: 'PartitionChangeRecord'; leader: 2 }>().not.toExtend<MetadataRecordInput>()
})
