/** A foreign client as its folder describes it; clients/protocol.md says what is in there. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fingerprint, noteOf } from './install.mjs'

export const clientsFolder = join(import.meta.dirname, 'clients')

export type Acks = '0' | '1' | 'all'
export type Compression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd'
export type GroupProtocol = 'classic' | 'consumer'

export interface Can {
  readonly admin?: boolean
  readonly acks?: readonly Acks[]
  readonly compressions?: readonly Compression[]
  /** `'text'`: their values are text, without U+0000; `'written as text'`: of those that it writes only. */
  readonly headers?: boolean | 'text' | 'written as text'
  readonly timestamps?: boolean
  readonly nulls?: boolean
  readonly idempotent?: boolean
  readonly groups?: readonly GroupProtocol[]
  /** Whose members read on when their coordinator dies; all of `groups` unless said. */
  readonly outliving?: readonly GroupProtocol[]
  readonly load?: boolean
  /** Mechanisms by which it says who it is; all four unless said. */
  readonly sasl?: readonly string[]
  /** It reads what is committed, or all, as it is told. */
  readonly isolation?: boolean
  /** It writes in transactions; the text: it may not get over the loss of their coordinator. */
  readonly transactions?: boolean | 'while the coordinator lives'
  /** Whose offsets it can send in transactions; all of `groups` unless said. */
  readonly offsets?: readonly GroupProtocol[]
}

export interface Client {
  /** Of its folder. */
  readonly name: string
  readonly folder: string
  readonly title: string
  readonly language: string
  readonly run: readonly string[]
  readonly can: Can
  readonly remarks: readonly string[]
}

export function readClient(name: string): Client {
  const folder = join(clientsFolder, name)
  return { name, folder, ...JSON.parse(readFileSync(join(folder, 'client.json'), 'utf8')) }
}

/** In the order of their names. */
export const clientNames: readonly string[] = readdirSync(clientsFolder)
  .filter(name => existsSync(join(clientsFolder, name, 'client.json')))
  .sort()

/** Undefined: it can be run. Otherwise what a skipped test says. */
export function whyNotInstalled({ name, folder }: Client): string | undefined {
  const file = noteOf(folder)
  if (!existsSync(file)) return `${name} is not installed: npm run clients`
  const { inputs, failure } = JSON.parse(readFileSync(file, 'utf8')) as { inputs: string; failure?: string }
  if (failure !== undefined) return `${name} could not be installed: ${failure}`
  return inputs === fingerprint(folder) ? undefined : `${name} is installed as it was before: npm run clients`
}
