import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { commandsIn, complaint } from '../command-line/examples.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const documents = [
  'README.md',
  ...readdirSync(join(root, 'docs'))
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`),
]

interface Block {
  readonly document: string
  readonly line: number
  readonly language: string
  readonly text: string
}

function blocksOf(document: string): Block[] {
  const lines = readFileSync(join(root, document), 'utf8').split('\n')
  const blocks: Block[] = []
  for (let i = 0; i < lines.length; i++) {
    const fence = /^```(\w+)$/.exec(lines[i]!)
    if (fence === null) continue
    const end = lines.indexOf('```', i + 1)
    blocks.push({ document, line: i + 1, language: fence[1]!, text: lines.slice(i + 1, end).join('\n') })
    i = end
  }
  return blocks
}

const blocks = documents.flatMap(blocksOf)

/** A block that begins with the name of a file is that file, for other blocks of its document to import. */
function fileOf({ text }: Block): string | undefined {
  return /^\/\/ ([\w-]+\.ts)\n/.exec(text)?.[1]
}

/** A block that is no test of its own becomes the body of one; its imports stay on top. */
function asTest({ document, line, text }: Block): string {
  if (/^test[.(]/m.test(text)) return text
  const imports = text.split('\n').filter(each => each.startsWith('import '))
  const body = text.split('\n').filter(each => !each.startsWith('import '))
  const names = imports.some(each => /\bexpect\b/.test(each)) ? 'test' : 'expect, test'
  const own = [`import { ${names} } from 'vitest'`, "import 'mini-kafka/vitest'"].filter(
    each => !imports.includes(each),
  )
  return `${[...own, ...imports].join('\n')}\ntest('${document}:${line}', async () => {\n${body.join('\n')}\n})\n`
}

test('every TypeScript block of the documents runs, and compiles', { timeout: 120_000 }, async () => {
  // One of its own, for several checkouts may share what is installed.
  const folder = mkdtempSync(join(root, 'node_modules/.mini-kafka-documents-'))
  const code = blocks.filter(({ language }) => language === 'ts')
  const tests = code.filter(block => fileOf(block) === undefined)
  expect(tests.length).toBeGreaterThan(0)
  const files: string[] = []
  for (const block of code) {
    const place = join(folder, block.document.replaceAll(/\W/g, '-'))
    mkdirSync(place, { recursive: true })
    const file = fileOf(block)
    files.push(join(place, file ?? `${block.line}.test.ts`))
    writeFileSync(files.at(-1)!, file === undefined ? asTest(block) : block.text)
  }
  const source = (name: string) => JSON.stringify(join(root, 'src', name))
  // All of them share one life of the sources, which are large; the door registers itself for each of them all the same.
  writeFileSync(
    join(folder, 'vitest.config.ts'),
    `export default { test: { include: ['*/*.test.ts'], isolate: false, setupFiles: [${source('vitest.ts')}] }, resolve: { alias: [
      { find: 'mini-kafka/vitest', replacement: ${source('vitest.ts')} },
      { find: 'mini-kafka/kafkajs', replacement: ${source('kafkajs.ts')} },
      { find: 'mini-kafka/redis', replacement: ${source('redis.ts')} },
      { find: 'mini-kafka/matchers', replacement: ${source('matchers.ts')} },
      { find: /^mini-kafka$/, replacement: ${source('index.ts')} } ] } }`,
  )
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: join(root, 'tsconfig.json'), files }))
  const done = await run('npx', ['vitest', 'run', '--root', folder], { cwd: root }).catch(error => error)
  const compiled = await run('npx', ['tsc', '--noEmit', '--project', folder], { cwd: root }).catch(error => error)
  rmSync(folder, { recursive: true, force: true })
  expect(done.code ?? 0, `${done.stdout}\n${done.stderr}`).toBe(0)
  expect(done.stdout).toContain(`${tests.length} passed`)
  expect(compiled.code ?? 0, compiled.stdout).toBe(0)
})

test('a test of the documents imports the matchers that it uses', () => {
  const using = blocks.filter(({ text }) => /^test[.(]/m.test(text) && /expect\(cluster\)/.test(text))
  expect(using.length).toBeGreaterThan(0)
  for (const { document, line, text } of using) {
    expect(text, `${document}:${line}`).toContain("import 'mini-kafka/vitest'")
  }
})

test('every command of the documents is one that the package has', async () => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const known = new Set(['start', 'test', ...Object.keys(scripts)])
  let commands = 0
  for (const { document, line, language, text } of blocks) {
    if (language !== 'sh') continue
    for (const [, name] of text.matchAll(/npm (?:run )?(?!ci\b|install\b|pack\b)([\w:]+)/g)) {
      expect(known, `${document}:${line} names npm ${name}`).toContain(name)
    }
    for (const command of commandsIn(text)) {
      expect(await complaint(command), `${document}:${line}: mini-kafka ${command.join(' ')}`).toBeUndefined()
      commands++
    }
  }
  expect(commands).toBeGreaterThan(0)
})
