import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const door = (name: string) => fileURLToPath(new URL(`src/${name}.ts`, import.meta.url))

/** A runner's door registers itself where it is loaded, and codecs are loaded anew: to each of these files modules of its own. */
const apart = [
  'test/*.test.ts',
  ...['cluster', 'docs', 'doors', 'matchers', 'redis'].map(room => `test/${room}/**/*.test.ts`),
  'test/client/producer-transactions.test.ts',
  'test/wire/codec-loading.test.ts',
]
const elsewhere = [
  'test/oracle/**',
  'test/conformance/**',
  'test/redis/**/*.server.test.ts',
  'test/doors/fixtures/**',
  'node_modules/**',
]

export default defineConfig({
  // What the documents import by the package's name is tested from the sources.
  resolve: { alias: [{ find: /^mini-kafka$/, replacement: door('index') }] },
  test: {
    setupFiles: ['test/setup.ts'],
    projects: [
      {
        extends: true,
        // Modules are loaded once per worker and not once per file: a third of the time.
        test: { name: 'together', include: ['test/**/*.test.ts'], exclude: [...elsewhere, ...apart], isolate: false },
      },
      { extends: true, test: { name: 'apart', include: apart, exclude: elsewhere } },
    ],
  },
})
