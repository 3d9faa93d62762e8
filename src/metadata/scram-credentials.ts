import type { MetadataRecordOf } from './records.ts'

/** Codes of the mechanisms (KIP-554); 0 is unknown. */
export const scramMechanisms = { 'SCRAM-SHA-256': 1, 'SCRAM-SHA-512': 2 } as const
export type ScramMechanism = keyof typeof scramMechanisms

/** What is kept instead of a password (RFC 5802): it proves one, and does not tell it. */
export interface ScramCredential {
  readonly salt: Uint8Array
  readonly storedKey: Uint8Array
  readonly serverKey: Uint8Array
  readonly iterations: number
}

const NOTHING: ReadonlyMap<number, ScramCredential> = new Map()

/** SCRAM credentials of users as the metadata log has them, by user and mechanism. */
export class ScramCredentials {
  readonly #users = new Map<string, Map<number, ScramCredential>>()

  set(record: MetadataRecordOf<'UserScramCredentialRecord'>): void {
    const { name, mechanism, salt, storedKey, serverKey, iterations } = record
    const credentials = this.#users.get(name) ?? new Map<number, ScramCredential>()
    credentials.set(mechanism, { salt, storedKey, serverKey, iterations })
    this.#users.set(name, credentials)
  }

  remove({ name, mechanism }: MetadataRecordOf<'RemoveUserScramCredentialRecord'>): void {
    const credentials = this.#users.get(name)
    credentials?.delete(mechanism)
    if (credentials?.size === 0) this.#users.delete(name)
  }

  /** By the code of the mechanism; empty for a user who has none. */
  of(user: string): ReadonlyMap<number, ScramCredential> {
    return this.#users.get(user) ?? NOTHING
  }

  /** Everyone who has some, in the order of their first. */
  get users(): IterableIterator<string> {
    return this.#users.keys()
  }
}
