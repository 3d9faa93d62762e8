/** Redis is there for those who ask for it: nobody else loads a line of it, and ioredis is loaded by nobody but its user. */
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const source = fileURLToPath(new URL('../../src', import.meta.url))

/** Every file that is loaded with this one, and every package: what is imported for its types alone is not. */
function loadedBy(door: string): { readonly files: Set<string>; readonly packages: Set<string> } {
  const files = new Set([join(source, door)])
  const packages = new Set<string>()
  for (const path of files) {
    const text = readFileSync(path, 'utf8')
    for (const [, , target] of text.matchAll(/^(?:import|export)\s+(?!type\b)([^;'"]*?from\s*)?'([^']+)'/gm)) {
      if (target!.startsWith('.')) files.add(join(dirname(path), target!))
      else packages.add(target!)
    }
    for (const [, target] of text.matchAll(/\bimport\(\s*'([^']+)'/g)) packages.add(target!)
  }
  return { files, packages }
}

const isOfRedis = (path: string) => path.startsWith(join(source, 'redis'))

test.each(['index.ts', 'matchers.ts', 'vitest.ts', 'jest.ts', 'kafkajs.ts', 'cli.ts'])(
  '%s loads nothing of Redis',
  door => {
    const { files, packages } = loadedBy(door)
    expect(files.size).toBeGreaterThan(0)
    expect([...files].filter(isOfRedis)).toEqual([])
    expect([...packages].filter(name => name.includes('redis'))).toEqual([])
  },
)

test('the door of Redis loads its room, and never ioredis', () => {
  const { files, packages } = loadedBy('redis.ts')
  expect([...files].filter(isOfRedis).length).toBeGreaterThan(10)
  expect([...packages].filter(name => name.includes('redis'))).toEqual([])
})
