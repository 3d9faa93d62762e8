import { type Codec, codecOf } from './codec.ts'
import type { Decoded, Encodable, Fields } from './schema.ts'

export interface Versions {
  readonly min: number
  readonly max: number
}

/** A message with its codec of every version, each made when it is first needed. */
export class Message<F extends Fields> {
  readonly name: string
  readonly fields: F
  readonly versions: Versions
  /** First version with compact types and tagged sections; Infinity: never. */
  readonly flexibleFrom: number
  readonly #codecs: (Codec<Decoded<F>, Encodable<F>> | undefined)[] = []

  constructor(name: string, fields: F, versions: Versions, flexibleFrom: number) {
    this.name = name
    this.fields = fields
    this.versions = versions
    this.flexibleFrom = flexibleFrom
  }

  isFlexible(version: number): boolean {
    return version >= this.flexibleFrom
  }

  codec(version: number): Codec<Decoded<F>, Encodable<F>> {
    const known = this.#codecs[version]
    if (known !== undefined) return known
    if (!(version >= this.versions.min && version <= this.versions.max)) {
      throw new RangeError(`${this.name} has versions ${this.versions.min} to ${this.versions.max}, not ${version}`)
    }
    const made = codecOf(this.name, this.fields, version, this.isFlexible(version))
    this.#codecs[version] = made
    return made
  }
}

/** A record of a log that Kafka keeps for itself: `apiKey` says which, the version stands beside it. */
export class RecordSchema<F extends Fields> extends Message<F> {
  readonly apiKey: number

  constructor(apiKey: number, name: string, fields: F, versions: Versions, flexibleFrom: number) {
    super(name, fields, versions, flexibleFrom)
    this.apiKey = apiKey
  }
}

export function defineRecord<const F extends Fields>(declaration: {
  readonly key: number
  readonly name: string
  /** Highest version; all from 0 on are readable. */
  readonly version: number
  readonly flexibleFrom?: number
  readonly fields: F
}): RecordSchema<F> {
  const { key, name, version, flexibleFrom = 0, fields } = declaration
  return new RecordSchema(key, name, fields, { min: 0, max: version }, flexibleFrom)
}
