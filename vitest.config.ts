import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const door = (name: string) => fileURLToPath(new URL(`src/${name}.ts`, import.meta.url))

/** They load modules anew, which nobody else should notice. */
const apart = ['test/wire/codec-loading.test.ts']

export default defineConfig({
  // What the documents import by the package's name is tested from the sources.
  resolve: { alias: [{ find: /^mini-kafka$/, replacement: door('index') }] },
  test: {
    setupFiles: ['test/setup.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'together',
          include: ['test/**/*.test.ts'],
          exclude: [
            'test/oracle/**',
            'test/conformance/**',
            'test/redis/**/*.server.test.ts',
            'test/doors/fixtures/**',
            'node_modules/**',
            ...apart,
          ],
          // Modules are loaded once per worker and not once per file: a third of the time.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'apart', include: apart } },
    ],
  },
})
