import { init as loadZstd, compress as packZstd, decompress as unpackZstd } from '@bokuweb/zstd-wasm'
import { CompressionCodecs, CompressionTypes } from 'kafkajs'
import { compressFrame, decompressFrame } from 'lz4-napi'
import { compress as packSnappy, uncompress as unpackSnappy } from 'snappy'

/** As the packages that kafkajs names do it: it hands over what it wrote, and wants bytes. */
interface Written {
  readonly buffer: Buffer
}

/** kafkajs has gzip; its users bring the rest. */
export async function giveKafkajsCodecs(): Promise<void> {
  await loadZstd()
  CompressionCodecs[CompressionTypes.Snappy] = () => ({
    compress: ({ buffer }: Written) => packSnappy(buffer),
    decompress: unpackFramed,
  })
  CompressionCodecs[CompressionTypes.LZ4] = () => ({
    compress: ({ buffer }: Written) => compressFrame(buffer),
    decompress: (bytes: Buffer) => decompressFrame(bytes),
  })
  CompressionCodecs[CompressionTypes.ZSTD] = () => ({
    compress: async ({ buffer }: Written) => Buffer.from(packZstd(buffer)),
    decompress: async (bytes: Buffer) => Buffer.from(unpackZstd(bytes)),
  })
}

/** What Java's clients put snappy's blocks into: a head of 16 bytes, then each block behind its length. */
const xerial = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00])

/** kafkajs-snappy reads both kinds, too. */
async function unpackFramed(bytes: Buffer): Promise<Buffer> {
  if (!bytes.subarray(0, xerial.length).equals(xerial)) return (await unpackSnappy(bytes)) as Buffer
  const blocks: Buffer[] = []
  for (let at = 16; at < bytes.length; ) {
    const length = bytes.readInt32BE(at)
    at += 4 + length
    blocks.push((await unpackSnappy(bytes.subarray(at - length, at))) as Buffer)
  }
  return Buffer.concat(blocks)
}
