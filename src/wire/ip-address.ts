import { isIP } from 'node:net'
import { MalformedError } from './reader.ts'

/** The bytes of an IP address: 4, or 16. A name is nobody's address: 0.0.0.0. */
export function addressBytes(host: string): Uint8Array {
  const plain = host.startsWith('::ffff:') && isIP(host.slice(7)) === 4 ? host.slice(7) : host
  if (isIP(plain) === 4) return Uint8Array.from(plain.split('.'), Number)
  if (isIP(plain) !== 6) return new Uint8Array(4)
  return ipv6Bytes(plain)
}

function ipv6Bytes(host: string): Uint8Array {
  const [head = '', tail] = host.replace(/%.*$/, '').split('::')
  const groups = (text: string) => (text === '' ? [] : text.split(':').flatMap(groupsOf))
  const [before, after] = [groups(head), groups(tail ?? '')]
  const all = [...before, ...Array<number>(8 - before.length - after.length).fill(0), ...after]
  return Uint8Array.from(all.flatMap(group => [group >> 8, group & 0xff]))
}

/** The last group may be an IPv4 address. */
function groupsOf(text: string): number[] {
  if (!text.includes('.')) return [Number.parseInt(text, 16)]
  const [a = 0, b = 0, c = 0, d = 0] = text.split('.').map(Number)
  return [(a << 8) | b, (c << 8) | d]
}

/** As Java writes it: no group of zeros is left out. @throws {MalformedError} */
export function javaAddress(bytes: Uint8Array): string {
  if (bytes.length === 4) return bytes.join('.')
  if (bytes.length !== 16) throw new MalformedError(`no address has ${bytes.length} bytes`)
  const groups = Array.from({ length: 8 }, (_, i) => (bytes[2 * i]! << 8) | bytes[2 * i + 1]!)
  return groups.map(group => group.toString(16)).join(':')
}

/** An address as ACLs have it, which is as Java writes it: `::1` is `0:0:0:0:0:0:0:1` there. */
export function aclHost(host: string): string {
  return host.includes(':') ? javaAddress(addressBytes(host)) : host
}
