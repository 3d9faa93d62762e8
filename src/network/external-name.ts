import type { Frame } from '../wire/frame.ts'
import { Reader } from '../wire/reader.ts'

/** What every connection from outside this process answers to in rules and filters. */
export const EXTERNAL = 'external'

/** Characters that would tear a line of the trace. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is meant
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g
const MAX_LENGTH = 100

/**
 * Name of a connection that came in by a socket: `checkout@127.0.0.1:51234`, the client id of its first request and where
 * it comes from; without a client id `external@127.0.0.1:51234`. A client may call itself what it likes: what
 * `isReserved`, the name of a node, is not taken from it.
 */
export function externalName(
  clientId: string | null,
  remote: string,
  isReserved: (name: string) => boolean = () => false,
): string {
  const said = (clientId ?? '').replaceAll(UNPRINTABLE, '?').slice(0, MAX_LENGTH)
  return `${said === '' || isReserved(said) ? EXTERNAL : said}@${remote}`
}

/**
 * Whether a name, as passages and requests have it, is meant by a reference: the very name, or for connections from outside
 * also `'external'`, the client id, and the address of the socket's other end.
 */
export function isMeantBy(name: string, reference: string): boolean {
  if (name === reference) return true
  const at = name.lastIndexOf('@')
  if (at < 0) return false
  return reference === EXTERNAL || name.slice(0, at) === reference || name.slice(at + 1) === reference
}

/** Key of the API that a request is for; −1 of what is too short to say. */
export function apiKeyOf({ slices, length }: Frame): number {
  return length < 2 ? -1 : new Reader(slices).int16()
}

/** What a request's header says about who sends it (W-8); null where it says nothing, or cannot be read. */
export function clientIdOf({ slices, length: bytes }: Frame): string | null {
  if (bytes < 10) return null
  const reader = new Reader(slices)
  reader.skip(8)
  const length = reader.int16()
  return length <= 0 || length > reader.remaining ? null : reader.text(length)
}
