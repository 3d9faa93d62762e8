import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { isIP } from 'node:net'
import { attributeTypes } from '../../network/distinguished-name.ts'
import { ConfigError } from '../../wire/errors.ts'
import {
  bits,
  boolean,
  explicit,
  ia5,
  implicit,
  integer,
  objectId,
  octets,
  printable,
  sequence,
  set,
  tagged,
  time,
  utf8,
} from './der.ts'

/** A certificate and its key, as texts in PEM. */
export interface Certificate {
  readonly cert: string
  readonly key: string
}

export interface CertificateRequest {
  /** As RFC 2253 writes it, `CN=alice,O=Example`; a name without `=` is the common name. */
  readonly subject: string
  /** Names and addresses that it is for. */
  readonly hosts?: readonly string[]
  /** Milliseconds since the epoch. */
  readonly from: number
  readonly until: number
  readonly serial: Uint8Array
}

const ECDSA_WITH_SHA256 = sequence(objectId('1.2.840.10045.4.3.2'))
const idsOfTypes = new Map(Object.entries(attributeTypes).map(([id, keyword]) => [keyword, id]))
const KEY_USAGE = { signsCertificates: 0x06, signs: 0x80 }

/**
 * Vouches for the certificates of one cluster: a key that nobody else has, and a certificate for it that whoever trusts it trusts
 * them by (X.509 v3, RFC 5280). Keys are of P-256, which every client takes and which costs a millisecond.
 */
export class CertificateAuthority {
  /** In PEM. */
  readonly cert: string
  readonly #key: KeyObject
  readonly #name: Uint8Array

  constructor(request: CertificateRequest) {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    this.#key = privateKey
    this.#name = nameOf(request.subject)
    const extensions = [
      extension('2.5.29.19', sequence(boolean(true)), true),
      extension('2.5.29.15', bits(Uint8Array.of(KEY_USAGE.signsCertificates), 1), true),
    ]
    this.cert = this.#certify(request, publicKey, extensions)
  }

  /** @throws {ConfigError} for a subject that is no name */
  issue(request: CertificateRequest): Certificate {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { hosts = [] } = request
    const extensions = [
      extension('2.5.29.19', sequence(), true),
      extension('2.5.29.15', bits(Uint8Array.of(KEY_USAGE.signs), 7), true),
      // For either end of a connection.
      extension('2.5.29.37', sequence(objectId('1.3.6.1.5.5.7.3.1'), objectId('1.3.6.1.5.5.7.3.2'))),
      ...(hosts.length === 0 ? [] : [extension('2.5.29.17', sequence(...hosts.map(alternativeName)))]),
    ]
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    return { cert: this.#certify(request, publicKey, extensions), key }
  }

  #certify(
    { subject, from, until, serial }: CertificateRequest,
    publicKey: KeyObject,
    extensions: readonly Uint8Array[],
  ): string {
    const identifiers = [
      extension('2.5.29.14', octets(keyIdOf(publicKey))),
      extension('2.5.29.35', sequence(implicit(0, keyIdOf(createPublicKey(this.#key))))),
    ]
    const content = sequence(
      explicit(0, integer(Uint8Array.of(2))),
      integer(serial),
      ECDSA_WITH_SHA256,
      this.#name,
      sequence(time(from), time(until)),
      nameOf(subject),
      publicKey.export({ type: 'spki', format: 'der' }),
      explicit(3, sequence(...extensions, ...identifiers)),
    )
    return pemOf(sequence(content, ECDSA_WITH_SHA256, bits(sign('sha256', content, this.#key))))
  }
}

function extension(type: string, value: Uint8Array, isCritical = false): Uint8Array {
  return sequence(objectId(type), ...(isCritical ? [boolean(true)] : []), octets(value))
}

/** RFC 5280: the SHA-1 of the key. */
function keyIdOf(key: KeyObject): Uint8Array {
  return createHash('sha1')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest()
}

/** A name, or an address: those are compared in bytes. */
function alternativeName(host: string): Uint8Array {
  switch (isIP(host)) {
    case 4:
      return implicit(7, Uint8Array.from(host.split('.'), Number))
    case 6:
      return implicit(7, ipv6Bytes(host))
    default:
      return tagged(0x82, Buffer.from(host))
  }
}

function ipv6Bytes(host: string): Uint8Array {
  const [head = '', tail] = new URL(`http://[${host}]`).hostname.slice(1, -1).split('::')
  const groups = (text = '') => (text === '' ? [] : text.split(':').map(group => Number.parseInt(group, 16)))
  const [before, after] = [groups(head), groups(tail)]
  const zeros = Array<number>(8 - before.length - after.length).fill(0)
  return Uint8Array.from([...before, ...zeros, ...after].flatMap(group => [group >> 8, group & 0xff]))
}

/** RFC 2253 writes the last part first. */
function nameOf(subject: string): Uint8Array {
  const text = subject.includes('=') ? subject : `CN=${subject.replaceAll(/[,+"\\<>;]/g, '\\$&')}`
  const parts = (text.match(/(?:\\.|[^,\\])+/g) ?? []).map(part => {
    const [, type = '', value = ''] = /^\s*(\w+)\s*=(.*)$/s.exec(part) ?? []
    const oid = idsOfTypes.get(type.toUpperCase())
    if (oid === undefined || value.trim() === '') {
      const known = Object.values(attributeTypes).join(', ')
      throw new ConfigError(`'${subject}' is no name for a certificate: it is written CN=alice,O=Example, of ${known}`)
    }
    const plain = value.trim().replaceAll(/\\(.)/g, '$1')
    return set(sequence(objectId(oid), attributeValue(type.toUpperCase(), plain)))
  })
  return sequence(...parts.reverse())
}

function attributeValue(type: string, text: string): Uint8Array {
  if (type === 'C') return printable(text)
  return type === 'DC' ? ia5(text) : utf8(text)
}

function pemOf(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g)!
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
}
