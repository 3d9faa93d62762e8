/** Certificates that are made for a run: others read them as they were meant. */
import { X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CertificateAuthority } from '../../src/cluster/certificates/certificate.ts'
import { subjectOf } from '../../src/network/distinguished-name.ts'

const request = { from: Date.UTC(2026, 0, 1), until: Date.UTC(2060, 5, 1, 12, 30), serial: Uint8Array.of(0x81, 2) }
const authority = new CertificateAuthority({ ...request, subject: 'CN=authority' })
const issued = (subject: string, hosts: readonly string[] = []) =>
  new X509Certificate(authority.issue({ ...request, subject, hosts }).cert)

test('the authority vouches for it, and it says what it is for', () => {
  const trusted = new X509Certificate(authority.cert)
  const certificate = issued('alice', ['localhost', '127.0.0.1', '::1', 'fe80::1:2'])
  expect(certificate.verify(trusted.publicKey)).toBe(true)
  expect(certificate.checkIssued(trusted)).toBe(true)
  expect([certificate.ca, trusted.ca]).toEqual([false, true])
  expect(certificate.subjectAltName).toBe(
    'DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, IP Address:FE80:0:0:0:0:0:1:2',
  )
  expect(certificate.checkHost('localhost')).toBe('localhost')
  expect(certificate.checkIP('::1')).toBe('::1')
  expect([certificate.validFrom, certificate.validTo].map(date => Date.parse(date))).toEqual([
    request.from,
    request.until,
  ])
  expect(certificate.serialNumber).toBe('8102')
})

test.each([
  ['alice', 'CN=alice'],
  ['a,b', 'CN=a\\,b'],
  ['CN=alice,OU=Sales, O = Example ,C=DE', 'CN=alice,OU=Sales,O=Example,C=DE'],
  ['cn=jürgen,dc=example,dc=com', 'CN=jürgen,DC=example,DC=com'],
  ['CN=\\#1 \\"x\\" \\+ \\<y\\>\\; \\\\', 'CN=\\#1 \\"x\\" \\+ \\<y\\>\\; \\\\'],
])('%s is the name %s, as Java writes it (M-65)', (subject, name) => {
  expect(subjectOf(issued(subject).raw)).toBe(name)
})

test('any name comes back as it was', () => {
  const part = fc.record({
    type: fc.constantFrom('CN', 'O', 'OU', 'L', 'UID'),
    value: fc.string({ unit: 'grapheme', minLength: 1, maxLength: 12 }),
  })
  const legal = fc
    .array(part, { minLength: 1, maxLength: 4 })
    .filter(parts => parts.every(({ value }) => value.trim() === value && !value.includes('\n')))
  fc.assert(
    fc.property(legal, parts => {
      const text = parts
        .map(({ type, value }) => `${type}=${value.replaceAll(/[,+"\\<>;]/g, '\\$&').replace(/^#/, '\\#')}`)
        .join(',')
      expect(subjectOf(issued(text).raw)).toBe(text)
    }),
    { numRuns: 50 },
  )
})

test('a type that Java has no short name for is a number with bytes; what is no certificate is refused', () => {
  // openssl req -x509 -subj '/C=DE/O=Ex/emailAddress=a@b.c/CN=x y'
  const made =
    'MIIB0zCCAXmgAwIBAgIUCychDHS6zjiw1D1OVO2ZrPVLPcswCgYIKoZIzj0EAwIwPjELMAkGA1UEBhMCREUxCzAJBgNVBAoMAkV4MRQwEgYJKo' +
    'ZIhvcNAQkBFgVhQGIuYzEMMAoGA1UEAwwDeCB5MCAXDTI2MTEyMjAwMDY0MVoYDzIwNTEwNzE0MDAwNjQxWjA+MQswCQYDVQQGEwJERTELMAkG' +
    'A1UECgwCRXgxFDASBgkqhkiG9w0BCQEWBWFAYi5jMQwwCgYDVQQDDAN4IHkwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAATENakF0MVcP+uROF' +
    'oUGUEeCvn0CyIsgLZmStoasKQ3ZEyLOOs7eUoZyhIImWTXC7OWZ3JszBA5/iZ1Xpk5kctro1MwUTAdBgNVHQ4EFgQUbO4MWACEcdHwsHR9c5xx' +
    'xd7gsVAwHwYDVR0jBBgwFoAUbO4MWACEcdHwsHR9c5xxxd7gsVAwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBFAiBlb0I4x94/7P' +
    '0WNo+Tp7Rvq5M9dXVDrJOJweQw00gbEAIhALYWJlYHQqvfgZFpa2mCeX45DYyphQ16U3M8YbJhLcrN'
  expect(subjectOf(Buffer.from(made, 'base64'))).toBe('CN=x y,1.2.840.113549.1.9.1=#16056140622e63,O=Ex,C=DE')
  for (const bytes of ['', '30', '3080', '308201', '30030201']) {
    expect(() => subjectOf(Buffer.from(bytes, 'hex'))).toThrow(RangeError)
  }
})

test.each(['CN=', '=alice', 'X=1', 'CN=a,nobody'])('%s is no name for a certificate', subject => {
  expect(() => issued(subject)).toThrow(
    `'${subject}' is no name for a certificate: it is written CN=alice,O=Example, of `,
  )
})
