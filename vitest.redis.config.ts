import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const door = (name: string) => fileURLToPath(new URL(`src/${name}.ts`, import.meta.url))

/** What needs a real Redis, on real time: servers of its own for each file. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^mini-kafka$/, replacement: door('index') },
      { find: /^mini-kafka\/redis$/, replacement: door('redis') },
    ],
  },
  test: {
    setupFiles: ['test/setup.ts'],
    include: ['test/redis/**/*.server.test.ts'],
    globalSetup: ['test/redis/setup.ts'],
    pool: 'forks',
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
