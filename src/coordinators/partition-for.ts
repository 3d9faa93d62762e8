/** Java's `String.hashCode`, over UTF-16 units. */
export function javaHash(text: string): number {
  let hash = 0
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0
  return hash
}

/**
 * Which partition of its topic a coordinator keeps a key in (G-1, T-1): Java's hash and its absolute value, where the one
 * that has none is 0.
 */
export function partitionFor(key: string, partitions: number): number {
  const hash = javaHash(key)
  return (hash === -2_147_483_648 ? 0 : Math.abs(hash)) % partitions
}
