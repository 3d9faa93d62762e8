import { brokerConfigs } from '../metadata/broker-configs.ts'
import { type ConfigTable, definitionOf } from '../metadata/config-definition.ts'
import { topicConfigs } from '../metadata/topic-configs.ts'
import type { AnyApi } from '../wire/api.ts'
import type { Struct } from './request-scope.ts'

/** What stands for a secret. */
const HIDDEN = '[hidden]'
const NO_BYTES: Uint8Array = new Uint8Array(0)

/** Where secrets are in requests and answers, by the name of the API: fields, and the lists that they stand in. */
const secrets: Readonly<
  Record<string, { readonly request?: readonly string[]; readonly response?: readonly string[] }>
> = {
  SaslAuthenticate: { request: ['authBytes'], response: ['authBytes'] },
  AlterUserScramCredentials: { request: ['upsertions.salt', 'upsertions.saltedPassword'] },
  CreateDelegationToken: { response: ['hmac'] },
  DescribeDelegationToken: { response: ['tokens.hmac'] },
  RenewDelegationToken: { request: ['hmac'] },
  ExpireDelegationToken: { request: ['hmac'] },
  AlterConfigs: { request: ['resources.configs.value'] },
  IncrementalAlterConfigs: { request: ['resources.configs.value'] },
}
/** The metadata log has credentials in it. */
const METADATA_RECORDS = 'responses.partitions.records'
const tables: readonly ConfigTable[] = [brokerConfigs, topicConfigs]

/** A request or an answer as it may be shown: without passwords, tokens, and what proves them. */
export function withoutSecrets<T>(api: AnyApi, side: 'request' | 'response', value: T, to: string): T {
  const paths =
    api.name === 'Fetch' && side === 'response' && to === 'controller' ? [METADATA_RECORDS] : secrets[api.name]?.[side]
  if (paths === undefined || value === undefined || value === null) return value
  return paths.reduce<Struct>((shown, path) => hidden(shown, path.split('.')), value as Struct) as T
}

function hidden(struct: Struct, [field, ...inner]: readonly string[]): Struct {
  const value = struct[field!]
  if (value === undefined || value === null) return struct
  if (inner.length > 0) return { ...struct, [field!]: (value as Struct[]).map(each => hidden(each, inner)) }
  if (field === 'value' && isPublic(struct.name)) return struct
  return { ...struct, [field!]: typeof value === 'string' ? HIDDEN : NO_BYTES }
}

/** Of a key that nobody knows nobody knows what it holds: Kafka takes it for a secret, too. */
function isPublic(key: string): boolean {
  return tables.some(table => {
    const definition = definitionOf(table, key)
    return definition !== undefined && !definition.sensitive
  })
}
