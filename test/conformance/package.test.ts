/** The package as npm packs it, installed in an empty folder: its README's example under each runner, its types, its contents. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { InstalledPackage, root } from './installed-package.ts'

const answers = InstalledPackage.registryAnswers()
const required = process.env.CI === 'true'
const reason = 'npm does not reach a registry, from which vitest and Jest are installed as a user would'

if (!answers && !required) test(`left out: ${reason}`, ({ skip }) => skip(reason))

/** The first block of the README: a test of its own. */
function example(): string {
  return /```ts\n([\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))![1]!
}

/** For runners without `using`: the cluster is closed after each test. */
function closedAfterEach(text: string): string {
  const imports = text.split('\n').filter(line => line.startsWith('import '))
  const body = text.replace(/^(?:import .*\n)+/, '').replace('await using cluster', 'cluster')
  if (!body.includes('\n  cluster = await createCluster(')) throw new Error('the example has no cluster of its own')
  return `${imports.join('\n')}\n\nlet cluster\nafterEach(() => cluster.close())\n${body}`
}

/** As CommonJS, with the globals of Jest in place of vitest's imports. */
function asJest(text: string): string {
  return text
    .replace(/^import .* from 'vitest'\n/m, '')
    .replace("import 'mini-kafka/vitest'", "require('mini-kafka/jest')")
    .replaceAll(/^import (\{.*\}) from ('.*')$/gm, 'const $1 = require($2)')
}

/** For Node's own runner, which has no `expect`. */
const delivered = `
  const [record] = await cluster.topic('orders').waitForRecords(1)
  assert.deepEqual([record.offset, record.key, record.value], [offset, 'ORDER-1001', 'paid'])
`
function asNodeTest(text: string, kind: 'module' | 'common'): string {
  const names = { assert: 'node:assert/strict', '{ afterEach, test }': 'node:test', '{ createCluster }': 'mini-kafka' }
  const lines = Object.entries(names).map(([what, from]) =>
    kind === 'module' ? `import ${what} from '${from}'` : `const ${what} = require('${from}')`,
  )
  const body = text.replace(/^(?:import .*\n)+/, '').replace(/\n *await expect\(.*\n/, delivered)
  if (!body.includes('assert.deepEqual')) throw new Error('the example expects nothing')
  return `${lines.join('\n')}\n${body}`
}

describe.runIf(answers || required)('the package, packed and installed in an empty folder', () => {
  let installed: InstalledPackage
  beforeAll(() => {
    installed = new InstalledPackage()
  }, 120_000)
  afterAll(() => installed?.remove())

  describe('has in it', () => {
    const rooms = readdirSync(join(root, 'src'), { withFileTypes: true }).filter(each => each.isDirectory())

    test('the doors, the documents, and nothing else beside the rooms', () => {
      const inRoom = rooms.map(({ name }) => new RegExp(`^dist/(?:esm|cjs)/${name}/`))
      const others = installed.contents.filter(path => !inRoom.some(pattern => pattern.test(path)))
      const documents = readdirSync(join(root, 'docs'), { recursive: true, withFileTypes: true })
        .filter(each => each.isFile())
        .map(({ parentPath, name }) => join(parentPath, name).slice(root.length))
      const both = ['index', 'jest', 'kafkajs', 'matchers', 'redis'].flatMap(door => [`esm/${door}`, `cjs/${door}`])
      const doors = [...both, 'esm/cli', 'esm/vitest'].flatMap(door => [`dist/${door}.js`, `dist/${door}.d.ts`])
      expect(others.toSorted()).toEqual(
        [
          'CHANGELOG.md',
          'LICENSE',
          'README.md',
          'package.json',
          'dist/cjs/package.json',
          ...doors,
          ...documents,
        ].toSorted(),
      )
    })

    test('of each room its modules and their types, once as ES modules, once as CommonJS', () => {
      const modules = rooms.flatMap(({ name }) =>
        readdirSync(join(root, 'src', name), { recursive: true, encoding: 'utf8' })
          .filter(path => path.endsWith('.ts'))
          .map(path => `${name}/${path.slice(0, -'.ts'.length)}`),
      )
      const expected = modules.flatMap(path => [
        `dist/esm/${path}.js`,
        `dist/esm/${path}.d.ts`,
        // The command line is an ES module only.
        ...(path.startsWith('command-line/') ? [] : [`dist/cjs/${path}.js`, `dist/cjs/${path}.d.ts`]),
      ])
      const inside = installed.contents.filter(path => /^dist\/(?:esm|cjs)\/[^/]+\//.test(path))
      expect(inside.toSorted()).toEqual(expected.toSorted())
    })

    test('no source map, nor a line that points to one, no sources and no tests', () => {
      const { contents } = installed
      expect(contents.filter(path => /\.map$|\.test\.|(?<!\.d)\.[mc]?ts$/.test(path))).toEqual([])
      const scripts = contents.filter(path => /\.(?:js|d\.ts)$/.test(path))
      const pointing = scripts.filter(path =>
        installed.read(`node_modules/mini-kafka/${path}`).includes('//# sourceMappingURL='),
      )
      expect(pointing).toEqual([])
    })

    test('nothing that publint finds wrong', () => {
      expect(installed.run('publint', [installed.tarball, '--strict']).output).toContain('All good!')
    })
  })

  describe('runs the example of the README', () => {
    test('under vitest 4, as it stands there and in its afterEach form', () => {
      installed.write('vitest/orders.test.ts', example())
      installed.write(
        'vitest/orders-closed.test.js',
        closedAfterEach(example()).replace('{ expect', '{ afterEach, expect'),
      )
      const { status, output } = installed.run('vitest', ['run', '--root', '.'], 'vitest')
      expect(output).toMatch(/RUN +v4\.[\s\S]*Tests +2 passed \(2\)/)
      expect(status).toBe(0)
    }, 30_000)

    test('under Jest 30 as it comes, in CommonJS, and where it transforms nothing', () => {
      const text = asJest(closedAfterEach(example()))
      expect(text).not.toMatch(/^import |await using/m)
      installed.write('jest/orders.test.js', text)
      installed.write('jest/package.json', '{ "name": "orders" }')
      expect(installed.run('jest', ['--version']).output).toMatch(/^30\./)
      for (const args of [[], ['--transform', '{}']]) {
        const { status, output } = installed.run('jest', args, 'jest')
        expect(output).toMatch(/PASS \.\/orders\.test\.js[\s\S]*Tests: +1 passed, 1 total/)
        expect(output).not.toMatch(/warning|did not exit|open handle/i)
        expect(status).toBe(0)
      }
    }, 30_000)

    test('under node --test on Node 20, as an ES module and as CommonJS', () => {
      const text = closedAfterEach(example())
      installed.write('node/orders.test.mjs', asNodeTest(text, 'module'))
      installed.write('node/orders.test.cjs', asNodeTest(text, 'common'))
      expect(installed.runNode(['--version']).output).toMatch(/^v20\./)
      const { status, output } = installed.runNode(['--test', '--test-reporter=tap'], 'node')
      expect(output).toMatch(/^# pass 2$/m)
      expect(output).toMatch(/^# fail 0$/m)
      expect(status).toBe(0)
    }, 30_000)
  })

  describe('is understood', () => {
    /** What of the examples a compiler has to see: a name of the door, a type, an error where there is one. */
    const body = `
      export async function story(): Promise<number> {
        const cluster: Cluster = await createCluster({ brokers: 3, topics: { orders: { partitions: 1 } } })
        const { offset } = await cluster.producer({ acks: 'all' }).send({ topic: 'orders', key: 'k', value: 'v' })
        // @ts-expect-error: there is no such option
        await createCluster({ borkers: 3 })
        await cluster.close()
        return offset
      }`
    const names = '{ type Cluster, createCluster }'
    const files = {
      'types/core.mts': `import ${names} from 'mini-kafka'\nimport { matchers } from 'mini-kafka/matchers'\n${body}
        export const all: object = matchers`,
      'types/core.cts': `import ${names} from 'mini-kafka'\nimport { matchers } from 'mini-kafka/matchers'\n${body}
        export const all: object = matchers`,
      'types/required.cts': `import kafka = require('mini-kafka')
        type Cluster = kafka.Cluster\nconst { createCluster } = kafka\n${body}`,
      'types/jest.cts': `import 'mini-kafka/jest'\nimport { expect } from '@jest/globals'
        import ${names} from 'mini-kafka'\n${body}
        export const checked = (cluster: Cluster) => expect(cluster).toHaveDelivered('orders', [{ value: 'v' }])`,
      'types/vitest.mts': `import 'mini-kafka/vitest'\nimport { expect } from 'vitest'
        import ${names} from 'mini-kafka'\n${body}
        export const checked = (cluster: Cluster) => expect(cluster).toHaveDelivered('orders', [{ value: 'v' }])`,
    }
    const core = ['core.mts', 'core.cts', 'required.cts']
    const bundled = { module: 'esnext', moduleResolution: 'bundler' }

    const compilers = [
      { compiler: 'typescript', options: { module: 'node16' }, seen: [...core, 'jest.cts', 'vitest.mts'] },
      { compiler: 'typescript', options: { module: 'nodenext' }, seen: [...core, 'jest.cts', 'vitest.mts'] },
      { compiler: 'typescript', options: bundled, seen: ['core.mts', 'vitest.mts'] },
      { compiler: 'typescript-oldest', options: { module: 'node16' }, seen: core },
      { compiler: 'typescript-oldest', options: bundled, seen: ['core.mts'] },
    ]

    test.each(compilers)(
      'by $compiler with $options',
      ({ compiler, options, seen }) => {
        for (const [name, text] of Object.entries(files)) installed.write(name, text)
        const compilerOptions = {
          ...options,
          noEmit: true,
          strict: true,
          // Declarations of the package itself are checked where no runner's are read.
          skipLibCheck: seen !== core,
          target: 'es2022',
          lib: ['es2022', 'esnext.disposable'],
          types: ['node'],
        }
        installed.write('types/tsconfig.json', JSON.stringify({ compilerOptions, files: seen }))
        const ran = installed.runNode([`../node_modules/${compiler}/bin/tsc`, '-p', '.'], 'types')
        expect(ran).toEqual({ status: 0, output: '\n' })
      },
      30_000,
    )
  })

  test('has a command that npx finds', () => {
    expect(installed.run('mini-kafka', ['--version'])).toEqual({ status: 0, output: 'mini-kafka 0.1.0\n\n' })
    expect(installed.run('mini-kafka', ['--borkers', '3']).status).toBe(2)
  })
})
