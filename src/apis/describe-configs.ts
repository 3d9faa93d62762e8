import { defineApi } from '../wire/api.ts'
import { array, boolean, int8, int16, int32, string } from '../wire/schema.ts'

/**
 * The configuration of topics, brokers and groups. v1 has synonyms and the source of each value, v3 type and
 * documentation (W-46). Any broker answers for topics; for a broker, that broker itself.
 */
export const describeConfigs = defineApi({
  key: 32,
  name: 'DescribeConfigs',
  versions: '1-4',
  flexibleFrom: 4,
  request: {
    resources: array({
      resourceType: int8,
      resourceName: string,
      configurationKeys: array(string).nullable(),
    }),
    includeSynonyms: boolean.default(false),
    includeDocumentation: boolean.since(3).default(false),
  },
  response: {
    throttleTimeMs: int32,
    results: array({
      errorCode: int16,
      errorMessage: string.nullable(),
      resourceType: int8,
      resourceName: string,
      configs: array({
        name: string,
        value: string.nullable(),
        readOnly: boolean,
        configSource: int8.default(-1).ignorable(),
        isSensitive: boolean,
        synonyms: array({
          name: string,
          value: string.nullable(),
          source: int8,
        }).ignorable(),
        configType: int8.since(3).default(0).ignorable(),
        documentation: string.nullable().since(3).ignorable(),
      }),
    }),
  },
})
