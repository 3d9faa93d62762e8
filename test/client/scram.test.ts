import { createHash, createHmac, pbkdf2Sync } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { ScramClient } from '../../src/client/authentication/scram.ts'
import type { ScramMechanism } from '../../src/metadata/scram-credentials.ts'

const bytes = (text: string) => Buffer.from(text)
const text = (token: Uint8Array | undefined) => Buffer.from(token!).toString()

const user = { username: 'user', password: 'pencil' }
const nonce = 'rOprNGfwEbeRWgbNEkqO'
const challenge = `r=${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`
const begun = (credentials: { username: string; password: string; isToken?: boolean } = user) =>
  new ScramClient('SCRAM-SHA-256', credentials, () => nonce).begin()

test('the exchange of RFC 7677 (V-9)', () => {
  const exchange = begun()
  expect(text(exchange.first())).toBe(`n,,n=user,r=${nonce}`)
  expect(text(exchange.next(bytes(challenge)))).toBe(
    `c=biws,r=${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=`,
  )
  expect(exchange.isComplete).toBe(false)
  expect(exchange.next(bytes('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='))).toBeUndefined()
  expect(exchange.isComplete).toBe(true)
})

test('names are escaped, and credentials of a delegation token say so (KIP-48)', () => {
  expect(text(begun({ username: 'a=b,c', password: 'x' }).first())).toBe(`n,,n=a=3Db=2Cc,r=${nonce}`)
  expect(text(begun({ ...user, isToken: true }).first())).toBe(`n,,n=user,r=${nonce},tokenauth=true`)
})

test('a broker that does not know the password, or makes guessing cheap, is not believed', () => {
  const after = (...challenges: string[]) => {
    const exchange = begun()
    exchange.first()
    for (const each of challenges) exchange.next(bytes(each))
    return exchange.isComplete
  }
  const wrong: [challenges: string[], reason: string][] = [
    [['r=another,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096'], 'the nonce of the broker does not begin with that of the client'],
    [
      [`r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`],
      'the nonce of the broker does not begin with that of the client',
    ],
    [[challenge.replace('4096', '4095')], 'the broker asks for 4095 iterations, at least 4096 are needed'],
    [[challenge.replace('4096', 'many')], 'the first answer of the broker has another form'],
    [['e=other-error'], 'the first answer of the broker has another form'],
    [[challenge, 'v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4='], 'the signature of the broker is wrong'],
    [[challenge, 'v='], 'the signature of the broker is wrong'],
    [[challenge, 'e=invalid-proof'], 'the broker says: invalid-proof'],
  ]
  for (const [challenges, reason] of wrong) expect(() => after(...challenges)).toThrow(`SCRAM-SHA-256: ${reason}`)
})

/** The broker's side, straight from RFC 5802: what it keeps is salted, and it knows whether the proof is right. */
function broker(hash: string, length: number, password: string, salt: Buffer, iterations: number) {
  const hmac = (key: Buffer, data: string) => createHmac(hash, key).update(data).digest()
  const salted = pbkdf2Sync(password, salt, iterations, length, hash)
  const storedKey = createHash(hash).update(hmac(salted, 'Client Key')).digest()
  return (first: string, challenge: string, final: string) => {
    const proof = Buffer.from(/,p=(.*)$/.exec(final)![1]!, 'base64')
    const message = `${first.slice('n,,'.length)},${challenge},${final.slice(0, final.lastIndexOf(',p='))}`
    const signature = hmac(storedKey, message)
    const clientKey = Buffer.from(proof.map((byte, index) => byte ^ signature[index]!))
    const isRight = createHash(hash).update(clientKey).digest().equals(storedKey)
    return isRight ? `v=${hmac(hmac(salted, 'Server Key'), message).toString('base64')}` : 'e=invalid-proof'
  }
}

test.each<[ScramMechanism, string, number]>([
  ['SCRAM-SHA-256', 'sha256', 32],
  ['SCRAM-SHA-512', 'sha512', 64],
])('%s: every password opens its own lock, and no other', (name, hash, length) => {
  const words = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  fc.assert(
    fc.property(words, words, fc.uint8Array({ minLength: 8, maxLength: 24 }), (password, typed, salt) => {
      const check = broker(hash, length, password, Buffer.from(salt), 4096)
      const exchange = new ScramClient(name, { username: 'u', password: typed }, () => 'abc').begin()
      const first = text(exchange.first())
      const answer = `r=abcdef,s=${Buffer.from(salt).toString('base64')},i=4096`
      const verdict = check(first, answer, text(exchange.next(bytes(answer))))
      if (password === typed) {
        exchange.next(bytes(verdict))
        expect(exchange.isComplete).toBe(true)
      } else {
        expect(verdict).toBe('e=invalid-proof')
        expect(() => exchange.next(bytes(verdict))).toThrow('the broker says: invalid-proof')
      }
    }),
    { numRuns: 30 },
  )
})
