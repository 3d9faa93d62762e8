import type { addOffsetsToTxn } from '../../../../src/apis/add-offsets-to-txn.ts'
import type { addPartitionsToTxn } from '../../../../src/apis/add-partitions-to-txn.ts'
import type { endTxn } from '../../../../src/apis/end-txn.ts'
import type { produce } from '../../../../src/apis/produce.ts'
import type { txnOffsetCommit } from '../../../../src/apis/txn-offset-commit.ts'
import type { AnyApi, RequestOf, ResponseOf } from '../../../../src/wire/api.ts'
import { errorOf } from '../../../../src/wire/errors.ts'
import { recordsOf } from '../../../../src/wire/record.ts'
import { producedBatch } from '../../../../src/wire/records.ts'

/** One line of a scenario: when, in milliseconds since its beginning, and what. */
export interface Line {
  readonly at: number
  readonly text: string
}

/** What of a scenario is told: requests and answers of an API, and how sends ended. */
export type Kind = 'Produce' | 'Metadata' | 'InitProducerId' | 'transactions' | 'ends' | 'calls'

/** Words of a record's value: a long one is its first word and `~`. */
export function labelOf(value: Uint8Array | null): string {
  const text = value === null ? 'null' : new TextDecoder().decode(value)
  return text.includes('.') ? `${text.slice(0, text.indexOf('.'))}~` : text
}

/** Writes down requests and answers as the scenarios do. */
export class Writing {
  readonly lines: Line[] = []
  readonly #now: () => number
  readonly #names = new Map<string, string>()
  #since = 0

  constructor(now: () => number) {
    this.#now = now
  }

  /** Here it begins. */
  begin(): void {
    this.#since = this.#now()
    this.lines.length = 0
  }

  add(text: string): void {
    this.lines.push({ at: this.#now() - this.#since, text })
  }

  /** The time since the beginning. */
  get at(): number {
    return this.#now() - this.#since
  }

  connection(what: string): void {
    this.add(`conn ${what}`)
  }

  request(api: AnyApi, version: number, body: RequestOf<AnyApi>): void {
    if (api.name === 'Produce') {
      const { acks, topicData } = body as unknown as RequestOf<typeof produce>
      const parts = topicData.flatMap(topic =>
        topic.partitionData.map(({ index, records }) => {
          const batch = producedBatch(records, version)
          const stamp = batch.producerId < 0 ? '' : ` epoch=${batch.producerEpoch} seq=${batch.baseSequence}`
          const values = recordsOf(batch).map(({ value }) => labelOf(value))
          return `${this.#nameOf(topic)}-${index}${stamp} n=${batch.count} [${values.join(' ')}]`
        }),
      )
      this.add(`> Produce acks=${acks} ${parts.sort().join(' ')}`)
    } else if (api.name === 'Metadata') {
      const { topics } = body as unknown as { topics: { name: string | null }[] | null }
      this.add(`> Metadata topics=[${(topics ?? []).map(({ name }) => name).join(', ')}]`)
    } else this.add(transactionRequest(api, body) ?? `> ${api.name}`)
  }

  response(api: AnyApi, _version: number, body: ResponseOf<AnyApi>): void {
    if (api.name === 'Produce') {
      const { responses, throttleTimeMs } = body as unknown as ResponseOf<typeof produce>
      const parts = responses.flatMap(topic =>
        topic.partitionResponses.map(({ index, errorCode, baseOffset }) => {
          const base = errorCode === 0 ? ` base=${baseOffset}` : ''
          return `${this.#nameOf(topic)}-${index} ${errorOf(errorCode).name}${base}`
        }),
      )
      const throttle = throttleTimeMs > 0 ? ` throttle=${throttleTimeMs}` : ''
      this.add(`< Produce ${parts.sort().join(' ')}${throttle}`.trimEnd())
    } else if (api.name === 'Metadata') {
      const { topics } = body as unknown as {
        topics: { name: string; topicId: string; errorCode: number }[]
      }
      for (const { name, topicId } of topics) this.#names.set(topicId, name)
      const told = topics.map(({ name, errorCode }) => `${name}:${errorOf(errorCode).name}`)
      this.add(`< Metadata ${told.join(' ')}`.trimEnd())
    } else if (api.name === 'InitProducerId') {
      const { errorCode } = body as unknown as { errorCode: number }
      this.add(`< InitProducerId ${errorOf(errorCode).name}`)
    } else this.add(transactionResponse(api, body) ?? `< ${api.name}`)
  }

  #nameOf(topic: { readonly name: string; readonly topicId: string }): string {
    return topic.name === '' ? (this.#names.get(topic.topicId) ?? topic.topicId) : topic.name
  }
}

/** A line of the Java producer's scenarios in the words of `Writing`; undefined: nothing that is compared. */
export function translated(line: string): Line | undefined {
  const found = /^(\d+) (.*)$/.exec(line)
  if (found === null) return undefined
  const at = Number(found[1])
  const text = found[2]!
  if (text.startsWith('> Produce')) {
    const parts = [...text.matchAll(/(\S+-\d+)( epoch=-?\d+ seq=-?\d+)? n=\d+ \[[^\]]*\]/g)].map(([part]) => part)
    return { at, text: `> Produce ${/acks=-?\d/.exec(text)![0]} ${parts.sort().join(' ')}` }
  }
  if (text.startsWith('< Produce')) {
    const parts = [...text.matchAll(/(\S+-\d+) ([A-Z_]+)( base=-?\d+)?/g)].map(([part]) => part)
    const throttle = / throttle=\d+/.exec(text)?.[0] ?? ''
    return { at, text: `< Produce ${parts.sort().join(' ')}${throttle}`.trimEnd() }
  }
  if (text.startsWith('> InitProducerId')) return { at, text: '> InitProducerId' }
  if (text.startsWith('< InitProducerId')) return { at, text: text.replace(/ epoch=.*/, '') }
  if (/^[<>] Metadata/.test(text)) return { at, text: text.replace(/ v\d+|\/\d+/g, '') }
  const of = /^([<>]) (EndTxn|AddPartitionsToTxn|AddOffsetsToTxn|TxnOffsetCommit)( v\d+)?(.*)$/.exec(text)
  if (of !== null) return { at, text: `${of[1]} ${of[2]}${of[4]}` }
  const call = /^app: (.*) (returned|threw \w+( caused by \w+)?)$/.exec(text)
  if (call !== null && !call[1]!.startsWith('send ')) return { at, text: `${call[1]} ${call[2]}` }
  const ended = /^app: callback (\S+) (ok \S+ offset -?\d+|[A-Za-z]+)/.exec(text)
  return ended === null ? undefined : { at, text: `${ended[1]} ${ended[2]}` }
}

export function kindOf(text: string): Kind | undefined {
  if (/^[<>] Produce/.test(text)) return 'Produce'
  if (/^[<>] Metadata/.test(text)) return 'Metadata'
  if (/^[<>] InitProducerId/.test(text)) return 'InitProducerId'
  if (/^[<>] (EndTxn|AddPartitionsToTxn|AddOffsetsToTxn|TxnOffsetCommit)/.test(text)) return 'transactions'
  if (/ (returned|threw \w+( caused by \w+)?)$/.test(text)) return 'calls'
  return /^([<>]|conn) /.test(text) ? undefined : 'ends'
}

/** What coordinators are asked, in the words of the scenarios. */
function transactionRequest(api: AnyApi, body: RequestOf<AnyApi>): string | undefined {
  if (api.name === 'EndTxn') {
    const { committed, producerEpoch } = body as unknown as RequestOf<typeof endTxn>
    return `> EndTxn ${committed ? 'commit' : 'abort'} epoch=${producerEpoch}`
  }
  if (api.name === 'AddPartitionsToTxn') {
    const { v3AndBelowTopics: topics } = body as unknown as RequestOf<typeof addPartitionsToTxn>
    const told = topics.map(({ name, partitions }) => `${name}[${partitions.join(', ')}]`)
    return `> AddPartitionsToTxn [${told.join(', ')}]`
  }
  if (api.name === 'AddOffsetsToTxn') {
    return `> AddOffsetsToTxn group=${(body as unknown as RequestOf<typeof addOffsetsToTxn>).groupId}`
  }
  if (api.name !== 'TxnOffsetCommit') return undefined
  const { groupId, producerEpoch } = body as unknown as RequestOf<typeof txnOffsetCommit>
  return `> TxnOffsetCommit group=${groupId} epoch=${producerEpoch}`
}

function transactionResponse(api: AnyApi, body: ResponseOf<AnyApi>): string | undefined {
  if (api.name === 'EndTxn') {
    const { errorCode, producerEpoch } = body as unknown as ResponseOf<typeof endTxn>
    const epoch = producerEpoch >= 0 ? ` epoch=${producerEpoch}` : ''
    return `< EndTxn ${errorOf(errorCode).name}${epoch}`
  }
  const names = (codes: readonly number[]) => `[${codes.map(code => errorOf(code).name).join(', ')}]`
  if (api.name === 'AddPartitionsToTxn') {
    const { resultsByTopicV3AndBelow: results } = body as unknown as ResponseOf<typeof addPartitionsToTxn>
    const codes = results.flatMap(topic => topic.resultsByPartition.map(({ partitionErrorCode }) => partitionErrorCode))
    return `< AddPartitionsToTxn ${names(codes)}`
  }
  if (api.name !== 'TxnOffsetCommit') return undefined
  const { topics } = body as unknown as ResponseOf<typeof txnOffsetCommit>
  return `< TxnOffsetCommit ${names(topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode)))}`
}
