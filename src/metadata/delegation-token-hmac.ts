import { createHmac } from 'node:crypto'

/** The secret of a token (KIP-48): HMAC-SHA-512 of its id, keyed by `delegation.token.secret.key`. */
export function delegationTokenHmac(tokenId: string, secretKey: string): Buffer {
  return createHmac('sha512', secretKey).update(tokenId).digest()
}

/** The password that goes with the token's id in SCRAM. */
export function delegationTokenPassword(hmac: Uint8Array): string {
  return Buffer.from(hmac.buffer, hmac.byteOffset, hmac.byteLength).toString('base64')
}
