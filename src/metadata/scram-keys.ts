/** The formulas of SCRAM (RFC 5802, RFC 7677; M-63), for both ends of a connection and for the credentials that are kept. */
import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import { type ScramCredential, type ScramMechanism, scramMechanisms } from './scram-credentials.ts'

/** What Kafka takes at least, so that guessing is never cheap, and at most, so that asking is not dear (KIP-554). */
export const MIN_ITERATIONS = 4096
export const MAX_ITERATIONS = 16_384

/** The hash of each mechanism, as Node calls it. */
const hashes: Readonly<Record<ScramMechanism, { readonly name: string; readonly bytes: number }>> = {
  'SCRAM-SHA-256': { name: 'sha256', bytes: 32 },
  'SCRAM-SHA-512': { name: 'sha512', bytes: 64 },
}

const names = new Map(Object.entries(scramMechanisms).map(([name, code]) => [code as number, name as ScramMechanism]))

/** By the mechanism's code; undefined for a code of none. */
export function scramMechanismOf(code: number): ScramMechanism | undefined {
  return names.get(code)
}

/** SaltedPassword = Hi(password, salt, iterations), which is PBKDF2 with HMAC. */
export function saltedPassword(
  mechanism: ScramMechanism,
  password: string | Uint8Array,
  salt: Uint8Array,
  iterations: number,
): Buffer {
  const { name, bytes } = hashes[mechanism]
  return pbkdf2Sync(password, salt, iterations, bytes, name)
}

export function scramHmac(mechanism: ScramMechanism, key: Uint8Array, text: string): Buffer {
  return createHmac(hashes[mechanism].name, key).update(text).digest()
}

export function scramHash(mechanism: ScramMechanism, bytes: Uint8Array): Buffer {
  return createHash(hashes[mechanism].name).update(bytes).digest()
}

/** What only the client has: HMAC(SaltedPassword, "Client Key"). */
export function clientKey(mechanism: ScramMechanism, salted: Uint8Array): Buffer {
  return scramHmac(mechanism, salted, 'Client Key')
}

/** What the broker keeps: H(ClientKey), and HMAC(SaltedPassword, "Server Key"). */
export function scramKeys(
  mechanism: ScramMechanism,
  salted: Uint8Array,
): { readonly storedKey: Buffer; readonly serverKey: Buffer } {
  const storedKey = scramHash(mechanism, clientKey(mechanism, salted))
  return { storedKey, serverKey: scramHmac(mechanism, salted, 'Server Key') }
}

/** All that is kept of a password. */
export function scramCredential(
  mechanism: ScramMechanism,
  password: string | Uint8Array,
  salt: Uint8Array,
  iterations = MIN_ITERATIONS,
): ScramCredential {
  return { salt, iterations, ...scramKeys(mechanism, saltedPassword(mechanism, password, salt, iterations)) }
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789'
/** As many letters as 130 bits fill, as Kafka makes nonces and salts (ScramFormatter). */
const LETTER_COUNT = 26

/** A nonce, or a salt: Kafka's salts are letters, too, and some clients (kafka-ts) take them for text. */
export function scramLetters(choose: (n: number) => number): string {
  return Array.from({ length: LETTER_COUNT }, () => LETTERS[choose(LETTERS.length)]!).join('')
}

/** A proof is the client's key under its signature, and each of them is the other two, one upon the other. */
export function xor(one: Uint8Array, other: Uint8Array): Buffer {
  return Buffer.from(one.map((byte, index) => byte ^ other[index]!))
}

/** `r=…,s=…,i=…`: values may hold `=`, but no comma. */
export function scramFields(text: string): ReadonlyMap<string, string> {
  return new Map(text.split(',').map(part => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]))
}
