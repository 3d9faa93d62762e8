import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const door = (name: string) => fileURLToPath(new URL(`src/${name}.ts`, import.meta.url))

export default defineConfig({
  // What the documents import by the package's name is tested from the sources.
  resolve: { alias: [{ find: /^mini-kafka$/, replacement: door('index') }] },
  test: {
    setupFiles: ['test/setup.ts'],
    include: ['test/**/*.test.ts'],
    exclude: [
      'test/oracle/**',
      'test/conformance/**',
      'test/redis/**/*.server.test.ts',
      'test/doors/fixtures/**',
      'node_modules/**',
    ],
  },
})
