import { describe, expect, test, vi } from 'vitest'
import { type CompressionName, compressionIds } from '../../src/wire/compression.ts'

/** Each of these loads the codecs anew, so the file has a process of its own (vitest.config.ts). */
describe('a codec', () => {
  test.each(['snappy', 'lz4', 'zstd'] as const)('%s that was not loaded names the package to install', async name => {
    vi.resetModules()
    const fresh = await import('../../src/wire/compression.ts')
    const install = { snappy: 'snappy', lz4: 'lz4-napi', zstd: '@bokuweb/zstd-wasm' }[name]
    const refusal = expect.objectContaining({
      errorName: 'UNSUPPORTED_COMPRESSION_TYPE',
      message: expect.stringContaining(`npm install --save-dev ${install}`),
    })
    expect(() => fresh.compress(name, Uint8Array.of(1))).toThrow(refusal)
    expect(() => fresh.decompress(compressionIds[name], Uint8Array.of(1))).toThrow(refusal)
    await Promise.all([fresh.loadCodec(name), fresh.loadCodec(name)])
    expect(fresh.decompress(compressionIds[name], fresh.compress(name, Uint8Array.of(1)))).toEqual(Uint8Array.of(1))
  })

  test('that is not installed says so when it is loaded, and a broker does without it', async () => {
    vi.resetModules()
    vi.doMock('lz4-napi', () => {
      throw new Error("Cannot find package 'lz4-napi'")
    })
    const fresh = await import('../../src/wire/compression.ts')
    await expect(fresh.loadCodec('lz4')).rejects.toMatchObject({
      errorName: 'UNSUPPORTED_COMPRESSION_TYPE',
      message: expect.stringContaining('npm install --save-dev lz4-napi'),
    })
    await expect(fresh.loadInstalledCodecs()).resolves.toBeUndefined()
    expect(fresh.compress('snappy' satisfies CompressionName, Uint8Array.of(1))).toBeInstanceOf(Uint8Array)
    vi.doUnmock('lz4-napi')
    vi.resetModules()
  })
})
