/** Who a certificate is for, as Java writes it and Kafka takes it for a principal: RFC 2253 (X500Principal.getName). */

/** What RFC 2253 has short names for; other types are written as numbers, and their values in bytes. */
export const attributeTypes: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
}

const VERSION_TAG = 0xa0
/** Of the strings that names are made of: the type is the tag. */
const encodings: Readonly<Record<number, 'utf8' | 'latin1' | 'utf16'>> = {
  12: 'utf8',
  19: 'latin1',
  20: 'latin1',
  22: 'latin1',
  30: 'utf16',
}

interface Element {
  readonly tag: number
  /** With tag and length. */
  readonly whole: Uint8Array
  readonly content: Uint8Array
}

/**
 * The subject of a certificate in DER. The last part of the name comes first.
 *
 * @throws {RangeError} for bytes that are no certificate
 */
export function subjectOf(certificate: Uint8Array): string {
  const [signed] = elementsIn(first(certificate).content)
  const fields = signed === undefined ? [] : elementsIn(signed.content)
  // Version (if any), serial, algorithm, issuer, validity, subject.
  const subject = fields[fields[0]?.tag === VERSION_TAG ? 5 : 4]
  if (subject === undefined) throw new RangeError('a certificate without a subject')
  const names = elementsIn(subject.content).map(name => elementsIn(name.content).map(partOf).join('+'))
  return names.reverse().join(',')
}

function partOf({ content }: Element): string {
  const [type, value] = elementsIn(content)
  if (type === undefined || value === undefined) throw new RangeError('a name without a value')
  const id = dotted(type.content)
  const encoding = encodings[value.tag]
  const keyword = attributeTypes[id]
  if (keyword === undefined || encoding === undefined)
    return `${keyword ?? id}=#${Buffer.from(value.whole).toString('hex')}`
  return `${keyword}=${escaped(textOf(value.content, encoding))}`
}

function textOf(bytes: Uint8Array, encoding: 'utf8' | 'latin1' | 'utf16'): string {
  if (encoding !== 'utf16') return Buffer.from(bytes).toString(encoding)
  return Buffer.from(bytes).swap16().toString('utf16le')
}

function escaped(text: string): string {
  const inside = text.replaceAll(/[,+"\\<>;]/g, '\\$&')
  return inside.replace(/^[ #]/, '\\$&').replace(/(?<!^) $/, '\\ ')
}

function dotted(bytes: Uint8Array): string {
  const numbers: number[] = []
  let value = 0
  for (const byte of bytes) {
    value = value * 128 + (byte & 0x7f)
    if (byte >= 0x80) continue
    numbers.push(value)
    value = 0
  }
  const [both = 0, ...rest] = numbers
  const top = Math.min(2, Math.floor(both / 40))
  return [top, both - top * 40, ...rest].join('.')
}

function first(bytes: Uint8Array): Element {
  const tag = bytes[0]
  let length = bytes[1]
  if (tag === undefined || length === undefined) throw new RangeError('a certificate that ends too soon')
  let at = 2
  if (length >= 0x80) {
    const end = at + (length & 0x7f)
    for (length = 0; at < end; at++) length = length * 256 + (bytes[at] ?? 0)
  }
  if (at + length > bytes.length) throw new RangeError('a certificate that ends too soon')
  return { tag, whole: bytes.subarray(0, at + length), content: bytes.subarray(at, at + length) }
}

function elementsIn(bytes: Uint8Array): Element[] {
  const elements: Element[] = []
  for (let at = 0; at < bytes.length; ) {
    const element = first(bytes.subarray(at))
    elements.push(element)
    at += element.whole.length
  }
  return elements
}
