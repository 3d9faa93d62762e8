import { joined } from '../wire/frame.ts'
import { Message } from '../wire/message.ts'
import type { Principal } from '../wire/principal.ts'
import { MalformedError, Reader } from '../wire/reader.ts'
import { boolean, string } from '../wire/schema.ts'
import { Writer } from '../wire/writer.ts'

/** On whose behalf a request is, and whether a delegation token said so (KIP-48). */
export interface PrincipalData extends Principal {
  readonly tokenAuthenticated: boolean
}

export const principalData = new Message(
  'DefaultPrincipalData',
  { type: string, name: string, tokenAuthenticated: boolean },
  { min: 0, max: 0 },
  0,
)

/** As one node tells another (DefaultKafkaPrincipalBuilder): the version, then the fields. */
export function encodePrincipal({ type, name, tokenAuthenticated }: PrincipalData): Uint8Array {
  const version = principalData.versions.max
  const writer = new Writer()
  writer.int16(version)
  principalData.codec(version).write(writer, { type, name, tokenAuthenticated })
  return joined(writer.finish().slices)
}

/** @throws {MalformedError} for bytes that are no principal. */
export function decodePrincipal(bytes: Uint8Array): PrincipalData {
  const reader = new Reader([bytes])
  const version = reader.int16()
  if (version < principalData.versions.min || version > principalData.versions.max) {
    throw new MalformedError(`nobody knows version ${version} of a principal`)
  }
  return principalData.codec(version).read(reader)
}
