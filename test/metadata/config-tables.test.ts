import { expect, test } from 'vitest'
import { adminConfigs } from '../../src/metadata/admin-configs.ts'
import { brokerConfigs } from '../../src/metadata/broker-configs.ts'
import { clientMetricsConfigs } from '../../src/metadata/client-metrics-configs.ts'
import type { ConfigTable } from '../../src/metadata/config-definition.ts'
import { parseConfig } from '../../src/metadata/config-definition.ts'
import { formatValue } from '../../src/metadata/config-text.ts'
import { consumerConfigs } from '../../src/metadata/consumer-configs.ts'
import { groupConfigs } from '../../src/metadata/group-configs.ts'
import { producerConfigs } from '../../src/metadata/producer-configs.ts'
import { topicConfigs } from '../../src/metadata/topic-configs.ts'
import kafka from '../data/kafka/configs.json' with { type: 'json' }

interface Row {
  type: string
  default?: string | null
  required?: boolean
  valid?: string
  list?: { empty: boolean; null: boolean; duplicates: boolean }
  importance: string
  internal?: boolean
  update?: string
  dynamicOnly?: boolean
  synonym?: string
  synonyms?: { name: string; unit: string }[]
  dynamicDefault?: string
}

const areas: [name: string, table: ConfigTable, rows: Record<string, Row>][] = [
  ['producer', producerConfigs, kafka.producer],
  ['consumer', consumerConfigs, kafka.consumer],
  ['admin', adminConfigs, kafka.admin],
  ['topic', topicConfigs, kafka.topic],
  ['broker', brokerConfigs, kafka.broker],
  ['group', groupConfigs, kafka.group],
  ['client metrics', clientMetricsConfigs, kafka.clientMetrics],
]
const UNITS_MS: Record<string, number> = { ms: 1, minutes: 60_000, hours: 3_600_000 }

test.each(areas)('every %s key of Apache Kafka 4.3.1 is known, and no other (C-1, M-20)', (_, table, rows) => {
  expect(Object.keys(table).sort()).toEqual(Object.keys(rows).sort())
})

test.each(areas)(
  'every %s key has the type, default, range and importance of Kafka (C-1, M-20, M-23)',
  (_, table, rows) => {
    const ours: Record<string, unknown> = {}
    const theirs: Record<string, unknown> = {}
    for (const [name, row] of Object.entries(rows)) {
      const definition = table[name]!
      ours[name] = {
        type: definition.type,
        default: definition.required ? 'required' : formatValue(definition.type, definition.default),
        valid: definition.validator?.text,
        importance: definition.importance,
        internal: definition.internal,
        update: definition.update,
        dynamicOnly: definition.dynamicOnly,
        sensitive: definition.sensitive,
      }
      theirs[name] = {
        type: row.type,
        // Where a list holds classes, Kafka prints `class` before each name.
        default: row.required ? 'required' : (row.default?.replaceAll(/\bclass (?=org\.)/g, '') ?? null),
        valid: row.valid?.replaceAll(/(\d)\.0(?=\D)/g, '$1'),
        importance: row.importance,
        internal: row.internal === true,
        update: row.update,
        dynamicOnly: row.dynamicOnly === true,
        sensitive: row.type === 'PASSWORD',
      }
    }
    expect(ours).toEqual(theirs)
  },
)

test.each(areas)('every default of a %s key is legal and survives being printed and read', (_, table) => {
  for (const [name, definition] of Object.entries(table)) {
    const text = formatValue(definition.type, definition.default)
    if (text !== null) expect([name, parseConfig(definition, name, text)]).toEqual([name, definition.default])
  }
})

test.each(areas)('the bounds of every %s key hold: the bound is legal, one beyond is not', (_, table, rows) => {
  for (const [name, row] of Object.entries(rows)) {
    const range = /^\[(-?[\d.]+),\.\.\.(?:,(-?[\d.]+))?\]/.exec(row.valid ?? '')
    if (range === null) continue
    const read = (value: number) => () => parseConfig(table[name]!, name, String(value))
    const [least, most] = [Number(range[1]), range[2] === undefined ? undefined : Number(range[2])]
    const step = row.type === 'DOUBLE' ? 0.01 : 1
    const below = least - step
    expect(read(least)()).toBe(least)
    if (!row.valid!.endsWith(`or ${below}`)) expect(read(below)).toThrow(`configuration ${name}: Value must be`)
    if (most === undefined) continue
    expect(read(most)()).toBe(most)
    if (most < 2147483647) expect(read(most + step)).toThrow(`configuration ${name}: Value must be`)
  }
})

test.each(areas)('%s keys with a choice take each of its words and no other', (_, table, rows) => {
  for (const [name, row] of Object.entries(rows)) {
    const choice = /^(\(case insensitive\) )?\[([a-zA-Z][^\]]*)\]$/.exec(row.valid ?? '')
    if (choice === null || row.valid!.includes('partitionId') || row.valid!.includes('by_duration')) continue
    for (const word of choice[2]!.split(', ')) {
      expect(() => parseConfig(table[name]!, name, word)).not.toThrow()
      if (choice[1] !== undefined) expect(() => parseConfig(table[name]!, name, word.toLowerCase())).not.toThrow()
    }
    expect(() => parseConfig(table[name]!, name, 'no-such-word')).toThrow('String must be one of')
  }
})

test.each(areas)(
  '%s lists may be empty or null where they may in Kafka; repeated entries are dropped',
  (_, table, rows) => {
    for (const [name, row] of Object.entries(rows)) {
      if (row.list === undefined) continue
      const read = (value: unknown) => () => parseConfig(table[name]!, name, value)
      if (row.list.empty) expect([name, read('')()]).toEqual([name, []])
      else expect(read('')).toThrow(`Configuration '${name}' must not be empty`)
      if (row.list.null) expect(read(null)()).toBeNull()
      else expect(read(null)).toThrow(`Configuration '${name}' values must not be null`)
      const entry = row.valid?.slice(1, -1).split(', ')[0] ?? 'a'
      expect(row.list.duplicates).toBe(false)
      expect([name, read(`${entry}, ${entry}`)()]).toEqual([name, [entry]])
      expect(read(`${entry},,${entry}`)).toThrow(`Configuration '${name}' values must not be empty.`)
    }
  },
)

test('a topic key takes its default from the broker keys that Kafka names, in their order and unit (M-21)', () => {
  const ours = Object.fromEntries(Object.entries(topicConfigs).map(([name, { synonyms }]) => [name, synonyms]))
  const theirs = Object.fromEntries(
    Object.entries(kafka.topic as Record<string, Row>).map(([name, row]) => [
      name,
      (row.synonyms ?? (row.synonym === undefined ? [] : [{ name: row.synonym, unit: 'ms' }])).map(synonym => ({
        name: synonym.name,
        unitMs: UNITS_MS[synonym.unit],
      })),
    ]),
  )
  expect(ours).toEqual(theirs)
})

test('the broker key behind a topic key may be altered as Kafka says', () => {
  const broker: ConfigTable = brokerConfigs
  for (const row of Object.values(kafka.topic as Record<string, Row>)) {
    if (row.synonym !== undefined)
      expect([row.synonym, broker[row.synonym]?.update]).toEqual([row.synonym, row.dynamicDefault])
  }
})
