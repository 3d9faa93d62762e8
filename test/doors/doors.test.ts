/** The doors to Vitest and Jest as users have them: from the built package, in a process of their own. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Project, type Ran } from './project.ts'

let project: Project

beforeAll(() => {
  project = new Project()
}, 60_000)
afterAll(() => project.remove())

const delivered = [
  "expected 'orders' to have delivered exactly 1 record within 60000 ms of virtual time (read_committed), it has 1",
  'orders-0  (- expected, + delivered)',
  "- key 'ORDER-1'  value 'paid'",
  "+ offset 0  key 'ORDER-1'  value 'billed'",
  "value: expected 'paid', delivered 'billed'",
  'what happened to orders-0 last:',
]
const faults = [
  'a fault never fired, so this test did not test what it says:',
  "failNext(Produce, { error: 'disconnect', times: 2 })",
]

const standstill = /mini-kafka: virtual time stands still at \d+ ms: consumer-1 waits in a `for await`/g

describe('mini-kafka/vitest', () => {
  let ran: Ran
  beforeAll(() => {
    project.take('vitest.fixture.js', 'orders.test.js')
    project.write('vitest.config.js', "export default { test: { include: ['*.test.js'] } }")
    ran = project.vitest(['orders.test.js'], { MINI_KAFKA_SEED: '42' })
  }, 60_000)

  test('one test of the seven passes', () => {
    expect(ran.output).toMatch(/Tests +6 failed \| 1 passed/)
    expect(ran.status).toBe(1)
  })

  test('a failed test shows the records, what happened, the seed and the line that replays it', () => {
    for (const line of delivered) expect(ran.output).toContain(line)
    expect(ran.output).toMatch(/❯ orders\.test\.js:19:\d+\n[\s\S]*await expect\(cluster\).toHaveDelivered/)
    expect(ran.output).toMatch(/controller +election +partition=orders-0/)
    expect(ran.output).toMatch(/broker-\d +node +crash/)
    expect(ran.output).toContain("mini-kafka: the seed of this test's cluster was 42. The same again:")
    const replay = String.raw`MINI_KAFKA_SEED=42 npx vitest run orders.test.js -t "orders \\(all\\) fails: \\\$5 are paid"`
    expect(ran.output).toContain(`  ${replay}\n`)
  })

  test('the name in the replay line picks that one test', () => {
    const replayed = project.vitest(['orders.test.js', '-t', String.raw`orders \(all\) fails: \$5 are paid`])
    expect(replayed.output).toMatch(/Tests +1 failed \| 6 skipped/)
  }, 60_000)

  test('a passed test fails when its fault never fired; one that failed keeps its own failure', () => {
    for (const line of faults) expect(ran.output).toContain(line)
    expect(ran.output.match(/never fired, so this test/g)).toHaveLength(1)
    expect(ran.output).toMatch(/expected 1 to be 2/)
  })

  test('a matcher that nobody awaited fails its test, and is no unhandled rejection', () => {
    expect(ran.output).toContain("nobody awaited expect(cluster).toHaveDelivered('orders'…)")
    expect(ran.output).toContain("nobody awaited expect(cluster).toHaveLeader('orders'…)")
    expect(ran.output).not.toMatch(/Unhandled/)
  })

  test('a test that timed out in an iteration says that nobody drove time, once', () => {
    expect(ran.output.match(standstill)).toHaveLength(1)
  })
})

describe('mini-kafka/jest', () => {
  let ran: Ran
  beforeAll(() => {
    project.take('jest.fixture.cjs', 'orders.jest.cjs')
    const config = { testMatch: ['**/*.jest.cjs'], transform: {}, testEnvironment: 'node' }
    project.write('jest.config.json', JSON.stringify(config))
    ran = project.jest(['--config', 'jest.config.json'], { MINI_KAFKA_SEED: '42' })
  }, 60_000)

  test('one test of the seven passes', () => {
    expect(ran.output).toMatch(/Tests: +6 failed, 1 passed, 7 total/)
    expect(ran.status).toBe(1)
  })

  test('a failed test shows the records, what happened, the seed and the line that replays it', () => {
    for (const line of delivered) expect(ran.output).toContain(line)
    expect(ran.output).toMatch(/controller +election +partition=orders-0/)
    const replay = String.raw`MINI_KAFKA_SEED=42 npx jest orders.jest.cjs -t "orders \\(all\\) fails: \\\$5 are paid"`
    expect(ran.output).toContain(`  ${replay}\n`)
  })

  test('a passed test fails when its fault never fired; one that failed keeps its own failure', () => {
    for (const line of faults) expect(ran.output).toContain(line)
    expect(ran.output.match(/never fired, so this test/g)).toHaveLength(1)
    expect(ran.output).toMatch(/Expected: 2\n +Received: 1/)
  })

  test('a matcher that nobody awaited fails its test', () => {
    expect(ran.output).toContain("nobody awaited expect(cluster).toHaveDelivered('orders'…)")
    expect(ran.output).toContain("nobody awaited expect(cluster).toHaveLeader('orders'…)")
  })

  test('a test that timed out in an iteration says that nobody drove time, once', () => {
    expect(ran.output.match(standstill)).toHaveLength(1)
  })
})

describe('the package', () => {
  const names = 'Produce, createCluster, cut, KafkaError'

  test('is imported as an ES module, and required as CommonJS', () => {
    project.write(
      'module.mjs',
      `import { ${names} } from 'mini-kafka'; console.log(Produce.name, typeof createCluster)`,
    )
    project.write(
      'common.cjs',
      `const { ${names} } = require('mini-kafka'); console.log(Produce.name, typeof createCluster)`,
    )
    for (const file of ['module.mjs', 'common.cjs']) {
      expect(project.node([file])).toMatchObject({ status: 0, output: expect.stringContaining('Produce function') })
    }
  })

  test('has a command', () => {
    const installed = join(project.folder, 'node_modules/mini-kafka')
    const { bin, version } = JSON.parse(readFileSync(join(installed, 'package.json'), 'utf8'))
    expect(Object.keys(bin)).toEqual(['mini-kafka'])
    const program = join(installed, bin['mini-kafka'])
    expect(readFileSync(program, 'utf8').split('\n')[0]).toBe('#!/usr/bin/env node')
    expect(project.node([program, '--version'])).toEqual({ status: 0, output: `mini-kafka ${version}\n\n` })
    expect(existsSync(join(installed, 'dist/cjs/cli.js'))).toBe(false)
  })

  test('has matchers that need no runner', () => {
    project.write(
      'matchers.mjs',
      "import { matchers } from 'mini-kafka/matchers'; console.log(Object.keys(matchers).join())",
    )
    project.write('matchers.cjs', "console.log(Object.keys(require('mini-kafka/matchers').matchers).join())")
    for (const file of ['matchers.mjs', 'matchers.cjs']) {
      expect(project.node([file]).output).toContain(
        'toHaveDelivered,toHaveConsumed,toHaveCommitted,toHaveOffsets,toBeInSync,toHaveLeader,toHaveReceivedRequest',
      )
    }
  })

  test('has sockets without a port for kafkajs, which it does not import', () => {
    const story = `;(async () => {
      const cluster = await createCluster({ time: 'real', topics: { orders: {} } })
      const kafka = new Kafka({ brokers: cluster.addresses, socketFactory: socketFactory(cluster) })
      const admin = kafka.admin()
      await admin.connect()
      console.log(process.getActiveResourcesInfo().some(name => name.startsWith('TCP')), await admin.listTopics())
      await admin.disconnect()
      await cluster.close()
    })()`
    const from = ['kafkajs', 'mini-kafka', 'mini-kafka/kafkajs']
    const what = ['{ Kafka }', '{ createCluster }', '{ socketFactory }']
    project.write('kafkajs.mjs', [...from.map((name, i) => `import ${what[i]} from '${name}'`), story].join('\n'))
    project.write('kafkajs.cjs', [...from.map((name, i) => `const ${what[i]} = require('${name}')`), story].join('\n'))
    for (const file of ['kafkajs.mjs', 'kafkajs.cjs']) {
      expect(project.node([file])).toEqual({ status: 0, output: "false [ 'orders' ]\n\n" })
    }
  })

  test('says what to do where Jest is not', () => {
    project.write('nojest.cjs', "require('mini-kafka/jest')")
    expect(project.node(['nojest.cjs']).output).toContain('mini-kafka/jest is imported by a test that Jest runs')
  })

  test('has types for both, and for the matchers of both runners', () => {
    const body = `
      export async function story(): Promise<void> {
        const cluster = await createCluster({ brokers: 1 })
        const fault = cluster.failNext(Produce, { error: 'NOT_ENOUGH_REPLICAS' })
        const answered: number | undefined = cluster.requests({ api: Produce })[0]?.body.acks
        await expect(cluster).toHaveDelivered('orders', [{ offset: 1n, value: { a: answered } }], { timeoutMs: fault.hits })
        await expect(cluster).toHaveConsumed('billing', 'orders', [{ value: 'a' }], { timeoutMs: 5 })
        await expect(cluster).not.toHaveConsumed('billing', 'orders')
        await expect(cluster).not.toHaveReceivedRequest(Produce, { acks: 1 })
        // @ts-expect-error: there is no such error
        cluster.failNext(Produce, { error: 'NO_SUCH_ERROR' })
        // @ts-expect-error: there is no such field
        await expect(cluster).toHaveDelivered('orders', [{ vlaue: 1 }])
      }`
    const imports = "import { createCluster, Produce } from 'mini-kafka'"
    project.write(
      'vitest-types.mts',
      `import 'mini-kafka/vitest'\nimport { expect } from 'vitest'\n${imports}\n${body}`,
    )
    project.write(
      'jest-types.cts',
      `import 'mini-kafka/jest'\nimport { expect } from '@jest/globals'\n${imports}\n${body}`,
    )
    const compilerOptions = {
      noEmit: true,
      strict: true,
      skipLibCheck: true,
      target: 'es2022',
      lib: ['es2023', 'esnext.disposable'],
      module: 'nodenext',
      types: ['node'],
    }
    const kafkajs = `
      import { createCluster } from 'mini-kafka'
      import { socketFactory } from 'mini-kafka/kafkajs'
      import { Kafka } from 'kafkajs'
      export async function made(): Promise<Kafka> {
        const cluster = await createCluster({ time: 'real' })
        return new Kafka({ brokers: cluster.addresses, socketFactory: socketFactory(cluster) })
      }`
    project.write('kafkajs-types.mts', kafkajs)
    project.write('kafkajs-types.cts', kafkajs)
    for (const file of ['vitest-types.mts', 'jest-types.cts', 'kafkajs-types.mts', 'kafkajs-types.cts']) {
      project.write('tsconfig.json', JSON.stringify({ compilerOptions, files: [file] }))
      expect(project.typescript(['-p', '.'])).toEqual({ status: 0, output: '\n' })
    }
    // Of the package alone, whose declarations are then checked themselves.
    project.write('types.mts', `${imports}\nexport const made = [createCluster, Produce]`)
    const strictest = { ...compilerOptions, skipLibCheck: false }
    project.write('tsconfig.json', JSON.stringify({ compilerOptions: strictest, files: ['types.mts'] }))
    expect(project.typescript(['-p', '.'])).toEqual({ status: 0, output: '\n' })
  }, 60_000)

  test('has types that compilers from 5.2 on can read', () => {
    // Names that later ones brought, and write into what they infer.
    const later = /\b(?:(?:Uint8Array|Buffer)<|NoInfer\b|ArrayIterator\b|MapIterator\b|SetIterator\b)/
    const declarations = project.installed('dist/esm').filter(({ name }) => name.endsWith('.d.ts'))
    expect(declarations.length).toBeGreaterThan(100)
    const found = declarations.filter(({ text }) => later.test(text)).map(({ name }) => name)
    expect(found).toEqual([])
  })

  test('is built before it is packed', () => {
    const { scripts } = JSON.parse(project.read('node_modules/mini-kafka/package.json'))
    expect(scripts.prepack).toBe('npm run build')
  })
})
