/**
 * A cipher suite as OpenSSL calls it, from the name of Java (and of the RFCs): `TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256` is
 * `ECDHE-RSA-AES128-GCM-SHA256`. Those of TLS 1.3 have one name for all, and what is OpenSSL's already stays.
 */
export function opensslCipher(name: string): string {
  const parts = /^TLS_(\w+?)_WITH_(\w+)$/.exec(name)
  if (parts === null) return name
  const exchange = parts[1]!.replaceAll('_', '-')
  const cipher = parts[2]!
    .replace(/^AES_(\d+)/, 'AES$1')
    .replace(/_CBC_/, '_')
    .replace(/^CHACHA20_POLY1305_SHA256$/, 'CHACHA20_POLY1305')
    .replaceAll('_', '-')
  // Plain RSA is what OpenSSL does not mention.
  return exchange === 'RSA' ? cipher : `${exchange}-${cipher}`
}
