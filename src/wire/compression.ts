/**
 * The codecs of record batches (B-5), by Kafka's names and numbers. gzip is Node's, and zstd too from Node 22.15 on;
 * the others are optional packages, loaded before they are used: compression must not wait, since real I/O within an event
 * of virtual time would break determinism.
 *
 * Simplification: the lz4 package knows one level, so compression.lz4.level is accepted and changes nothing.
 */
import * as zlib from 'node:zlib'
import { KafkaError } from './errors.ts'
import { decodeLz4Frame, encodeLz4Frame } from './lz4-frame.ts'
import { unshared } from './shared-memory.ts'
import { decodeXerial, encodeXerial } from './xerial.ts'
import { zstdFrames } from './zstd-frame.ts'

/** Name → the number in a batch's attributes (B-2). */
export const compressionIds = { none: 0, gzip: 1, snappy: 2, lz4: 3, zstd: 4 } as const

export type CompressionName = keyof typeof compressionIds

/** The names in the order of their numbers; 5 to 7 have none. */
export const compressionNames = Object.keys(compressionIds) as readonly CompressionName[]

/** Levels that the codecs take; both ends are allowed. */
export const compressionLevels = {
  gzip: { default: -1, min: 1, max: 9 },
  lz4: { default: 9, min: 1, max: 17 },
  zstd: { default: 3, min: -131072, max: 22 },
} as const

/** The packages that bring what Node lacks. */
export const compressionPackages = { snappy: 'snappy', lz4: 'lz4-napi', zstd: '@bokuweb/zstd-wasm' } as const

/**
 * The most that the body of one batch may grow to when decompressed, in bytes: far beyond any honest batch (a Java
 * producer's holds max.request.size, 1 MiB, per record), and too little to end the process.
 */
export const MAX_DECOMPRESSED_BYTES = 128 * 1024 * 1024

interface Codec {
  compress(bytes: Uint8Array, level?: number): Uint8Array
  /** Throws whatever it likes; `decompress` says it in Kafka's words. */
  decompress(bytes: Uint8Array, maxBytes: number): Uint8Array
}

const identity: Codec = { compress: bytes => bytes, decompress: bytes => bytes }

const gzip: Codec = {
  compress: (bytes, level = compressionLevels.gzip.default) => zlib.gzipSync(bytes, { level }),
  decompress: (bytes, maxOutputLength) => zlib.gunzipSync(bytes, { maxOutputLength }),
}

/** Loaded codecs by number, and those on the way. */
const codecs: (Codec | undefined)[] = [identity, gzip]
const loading: (Promise<Codec> | undefined)[] = []

const loaders: { readonly [name in CompressionName]: () => Promise<Codec> } = {
  none: async () => identity,
  gzip: async () => gzip,
  snappy: loadSnappy,
  lz4: loadLz4,
  zstd: loadZstd,
}

/**
 * Makes a codec ready for `compress` and `decompress`. Twice does no harm.
 *
 * @throws {KafkaError} UNSUPPORTED_COMPRESSION_TYPE, with the package to install, if it is not there.
 */
export async function loadCodec(name: CompressionName): Promise<void> {
  const id = compressionIds[name]
  if (codecs[id] !== undefined) return
  loading[id] ??= loaders[name]()
  try {
    codecs[id] = await loading[id]
  } finally {
    loading[id] = undefined
  }
}

/** Makes ready what is installed, and passes over what is not: for a broker, which takes what its clients send. */
export async function loadInstalledCodecs(): Promise<void> {
  for (const name of compressionNames) {
    try {
      await loadCodec(name)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
    }
  }
}

/** The body in compressed form. `level` is the codec's own unless said, see `compressionLevels`. */
export function compress(name: CompressionName, bytes: Uint8Array, level?: number): Uint8Array {
  return ownMemory(codecOf(compressionIds[name]).compress(bytes, level))
}

/**
 * The body in plain form.
 *
 * @throws {KafkaError} UNKNOWN_SERVER_ERROR, as Kafka answers (P-16), for a number without codec and for bytes that do
 * not decompress, or to more than `maxBytes`; UNSUPPORTED_COMPRESSION_TYPE for a codec that is not loaded.
 */
export function decompress(id: number, bytes: Uint8Array, maxBytes = MAX_DECOMPRESSED_BYTES): Uint8Array {
  if (compressionNames[id] === undefined) {
    throw new KafkaError('UNKNOWN_SERVER_ERROR', `there is no compression codec ${id}`)
  }
  const codec = codecOf(id)
  try {
    return ownMemory(codec.decompress(unshared(bytes), maxBytes))
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new KafkaError('UNKNOWN_SERVER_ERROR', `a ${compressionNames[id]} body does not decompress: ${reason}`)
  }
}

function codecOf(id: number): Codec {
  const codec = codecs[id]
  if (codec !== undefined) return codec
  throw unavailable(compressionNames[id] as keyof typeof compressionPackages)
}

function unavailable(name: keyof typeof compressionPackages, cause?: unknown): KafkaError {
  const node = name === 'zstd' ? ', or Node 22.15' : ''
  const install = `npm install --save-dev ${compressionPackages[name]}`
  const when = 'it is loaded when a cluster or a client starts'
  const message = `${name} compression needs an optional package${node}: ${install} (${when})`
  const error = new KafkaError('UNSUPPORTED_COMPRESSION_TYPE', message)
  if (cause !== undefined) error.cause = cause
  return error
}

/** A plain view, copied where it would pin much more memory than its own (a chunk of zlib's, a pool of Node's). */
function ownMemory(bytes: Uint8Array): Uint8Array {
  if (bytes.buffer.byteLength > 2 * bytes.length) return new Uint8Array(bytes)
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length)
}

async function loadSnappy(): Promise<Codec> {
  const { compressSync, uncompressSync } = await import('snappy').catch(cause => {
    throw unavailable('snappy', cause)
  })
  const compressBlock = (bytes: Uint8Array): Uint8Array => compressSync(bytes)
  const uncompressBlock = (bytes: Uint8Array): Uint8Array => uncompressSync(bytes, { asBuffer: true }) as Uint8Array
  return {
    compress: bytes => encodeXerial(bytes, compressBlock),
    decompress: (bytes, maxBytes) => decodeXerial(bytes, maxBytes, uncompressBlock),
  }
}

async function loadLz4(): Promise<Codec> {
  const { compressSync, decompressFrameSync } = await import('lz4-napi').catch(cause => {
    throw unavailable('lz4', cause)
  })
  // The package puts the plain size, four bytes, before a block; a frame has its own lengths.
  const compressBlock = (bytes: Uint8Array): Uint8Array => compressSync(bufferOf(bytes)).subarray(4)
  return {
    compress: bytes => encodeLz4Frame(bytes, compressBlock),
    decompress: (bytes, maxBytes) => decodeLz4Frame(bytes, maxBytes, frame => decompressFrameSync(bufferOf(frame))),
  }
}

/** What zlib has from Node 22.15 on, and the types of Node 20 do not know. */
interface ZstdOfNode {
  zstdCompressSync?: (bytes: Uint8Array, options: { params: Record<number, number> }) => Uint8Array
  zstdDecompressSync?: (bytes: Uint8Array, options: { maxOutputLength: number }) => Uint8Array
  constants: { ZSTD_c_compressionLevel?: number }
}

async function loadZstd(): Promise<Codec> {
  const level = compressionLevels.zstd.default
  const node = zlib as unknown as ZstdOfNode
  const { zstdCompressSync, zstdDecompressSync } = node
  if (zstdCompressSync !== undefined && zstdDecompressSync !== undefined) {
    const key = node.constants.ZSTD_c_compressionLevel ?? 100
    return {
      compress: (bytes, own = level) => zstdCompressSync(bytes, { params: { [key]: own } }),
      decompress: (bytes, maxOutputLength) => zstdDecompressSync(bytes, { maxOutputLength }),
    }
  }
  const { compress, decompress, init } = await import('@bokuweb/zstd-wasm').catch(cause => {
    throw unavailable('zstd', cause)
  })
  await init()
  return {
    compress: (bytes, own = level) => compress(bytes, own),
    decompress: (bytes, maxBytes) => {
      const frames = zstdFrames(bytes, maxBytes)
      const pieces = frames.map(({ from, to, bound }) =>
        decompress(bytes.subarray(from, to), { defaultHeapSize: Math.max(1, bound) }),
      )
      return pieces.length === 1 ? pieces[0]! : new Uint8Array(Buffer.concat(pieces))
    },
  }
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
}
