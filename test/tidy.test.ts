/**
 * What no compiler and no linter sees: which room may import which, what only the runtime may touch, and names.
 * A finding says where, and what to use instead.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const below = ['runtime', 'wire', 'metadata', 'apis', 'log', 'network', 'node']
const cluster = [...below, 'client', 'coordinators', 'broker', 'controller']
/** Room → rooms it may import; a room after `type` may be imported for its types only. */
const imports: Record<string, readonly string[]> = {
  runtime: [],
  wire: [],
  history: [],
  metadata: ['runtime', 'wire'],
  network: ['runtime', 'wire'],
  log: ['runtime', 'wire', 'metadata'],
  apis: ['wire', 'metadata', 'type broker', 'type coordinators', 'type controller'],
  redis: ['runtime', 'wire', 'metadata', 'log'],
  node: ['runtime', 'wire', 'apis', 'log', 'network'],
  coordinators: ['runtime', 'wire', 'metadata', 'apis'],
  client: ['runtime', 'wire', 'metadata', 'apis', 'network'],
  broker: [...below, 'coordinators'],
  controller: below,
  cluster,
  simulation: [...cluster, 'cluster', 'history'],
  'command-line': [...cluster, 'cluster', 'history', 'simulation'],
}

/** What is banned, where it is allowed, and what to use instead. A method of the same name (`socket.setTimeout`) is not meant. */
const loose = (name: string) => `(?:(?<![.\\w$#])|(?<=\\b(?:globalThis|timers|process)\\.))${name}\\b`
const bans: readonly (readonly [what: RegExp, allowedIn: RegExp, instead: string])[] = [
  [/\b(?:Date|performance)\.now\b|\bnew Date\(\)/, /^src\/runtime\/real\.ts$/, 'runtime.now()'],
  [new RegExp(loose('set(?:Timeout|Interval|Immediate)')), /^src\/runtime\/real\.ts$/, 'runtime.after(ms, run)'],
  [new RegExp(loose('(?:queueMicrotask|nextTick)')), /^src\/runtime\/real\.ts$/, 'runtime.after(0, run)'],
  [/\bMath\.random\b|\brandomUUID\b/, /^src\/runtime\/real\.ts$/, 'runtime.choose(name, n)'],
  [/\bnew Promise\b/, /^src\/runtime\//, 'runtime.deferred() or runtime.sleep(ms)'],
]

const MAX_LINES = 400
const bannedWords = new Set('utils util helpers helper common misc types hw leo isr lso msg mgr cfg impl'.split(' '))

const root = fileURLToPath(new URL('..', import.meta.url))
const ignored = new Set(['.git', ...readFileSync(join(root, '.gitignore'), 'utf8').split(/\s+/)])

function filesIn(folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { withFileTypes: true })
    .filter(entry => !ignored.has(entry.name))
    .flatMap(entry => (entry.isDirectory() ? filesIn(join(folder, entry.name)) : [join(folder, entry.name)]))
    .map(path => path.split(sep).join('/'))
}

const read = (path: string) => readFileSync(join(root, path), 'utf8')
const all = filesIn('')
const sources = all.filter(path => path.startsWith('src/') && path.endsWith('.ts'))
const isDoor = (path: string) => /^src\/[^/]+$/.test(path)
const roomOf = (path: string) => path.split('/')[1]!

/** Every line that matches, as `file:line: what was found; what to do`. */
function findings(path: string, text: string, what: RegExp, advice: string): string[] {
  return text.split('\n').flatMap((line, index) => {
    const found = what.exec(line)?.[0]
    return found === undefined ? [] : [`${path}:${index + 1}: ${found.trim()}; ${advice}`]
  })
}

/** Source with comments and strings blanked; what a template computes stays. Lines stay where they are. */
function codeOf(text: string): string {
  const inert = /\/\/.*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g
  return text.replace(inert, part => {
    const lines = part.replaceAll(/[^\n]/g, '')
    return part.startsWith('`') ? (part.match(/\$\{[^}]*\}/g) ?? []).join(' ') + lines : lines
  })
}

const kebab = (name: string) =>
  name
    .replaceAll('_', '-')
    .replaceAll(/([a-z\d])([A-Z])/g, '$1-$2')
    .toLowerCase()

interface Import {
  readonly line: number
  readonly target: string
  readonly typesOnly: boolean
}

/** Imports of our own files: static, re-exporting, dynamic. */
function importsOf(path: string): Import[] {
  const text = read(path)
  const names = String.raw`(?:\{[^}]*\}|\*(?:\s+as\s+\w+)?|\w+(?:\s*,\s*\{[^}]*\})?)`
  const form = new RegExp(
    String.raw`^(?:import|export)\s+(type\s+)?${names}\s*from\s*'(\.[^']+)'|^import\s*'(\.[^']+)'|\bimport\(\s*'(\.[^']+)'`,
    'gm',
  )
  return [...text.matchAll(form)].map(match => ({
    line: text.slice(0, match.index).split('\n').length,
    target: relative(root, join(root, dirname(path), (match[2] ?? match[3] ?? match[4])!))
      .split(sep)
      .join('/'),
    typesOnly: match[1] !== undefined,
  }))
}

test('no room imports what the table forbids, and no room imports a door', () => {
  const problems: string[] = []
  for (const path of sources.filter(source => !isDoor(source))) {
    const [room, allowed] = [roomOf(path), imports[roomOf(path)]]
    if (allowed === undefined) problems.push(`${path}: room '${room}' is not in the table; add it to the design first`)
    for (const { line, target, typesOnly } of importsOf(path)) {
      const other = isDoor(target) ? 'a door' : roomOf(target)
      const legal = other === room || allowed?.includes(other) || (typesOnly && allowed?.includes(`type ${other}`))
      const advice = allowed?.includes(`type ${other}`)
        ? 'use `import type`'
        : `it may import: ${allowed?.join(', ') || 'nothing'}`
      if (!legal) problems.push(`${path}:${line}: ${room} imports ${other} (${target}); ${advice}`)
    }
  }
  expect(problems).toEqual([])
})

test('time, chance and promises come from the runtime', () => {
  const problems = sources.flatMap(path => {
    const code = codeOf(read(path))
    return bans.flatMap(([what, allowedIn, instead]) =>
      allowedIn.test(path) ? [] : findings(path, code, what, `use ${instead}`),
    )
  })
  expect(problems).toEqual([])
})

test('the ban list finds what it should, and leaves comments, strings and methods alone', () => {
  const banned = (line: string) => bans.some(([what]) => what.test(codeOf(line)))
  const bad = [
    'setTimeout(f, 1)',
    'globalThis.setInterval(f)',
    'process.nextTick(f)',
    'a = `$'.concat('{Date.now()} ms`'),
    'new Promise(f)',
  ]
  const good = [
    '// setTimeout(f)',
    "x = 'Math.random()'",
    'socket.setTimeout(5)',
    '/* Date.now() */ a()',
    'Promise.all(p)',
  ]
  expect([bad.filter(line => !banned(line)), good.filter(banned)]).toEqual([[], []])
})

test(`no source file is longer than ${MAX_LINES} lines`, () => {
  const lengths = sources.map(path => [path, read(path).trimEnd().split('\n').length] as const)
  const long = lengths.filter(([, lines]) => lines > MAX_LINES)
  expect(
    long.map(([path, lines]) => `${path}:${MAX_LINES + 1}: ${lines} lines; give each noun a file of its own`),
  ).toEqual([])
})

test('files and folders have names of their own, in kebab-case, of whole words', () => {
  const named = all.filter(path => /^(src|test|bench)\//.test(path) && !path.startsWith('test/data/'))
  const parts = new Set(
    named.flatMap(path =>
      path.split('/').map((part, at, whole) => [part, whole.slice(0, at + 1).join('/')].join('\0')),
    ),
  )
  const problems = [...parts].flatMap(joined => {
    const [part, path] = joined.split('\0') as [string, string]
    if (!/^[a-z0-9]+([-.][a-z0-9]+)*$/.test(part)) return [`${path}: not kebab-case; use ${kebab(part)}`]
    const word = part.split(/[-.]/).find(word => bannedWords.has(word))
    return word === undefined ? [] : [`${path}: '${word}'; use the noun that it serves, in full`]
  })
  expect(problems).toEqual([])
})

test('every markdown document has one title', () => {
  const problems = all
    .filter(path => path.endsWith('.md'))
    .map(
      path =>
        [
          path,
          read(path)
            .replaceAll(/^(```|~~~)[\s\S]*?^\1/gm, '')
            .match(/^# /gm)?.length ?? 0,
        ] as const,
    )
    .filter(([, titles]) => titles !== 1)
  expect(problems.map(([path, titles]) => `${path}:1: ${titles} titles; use one line that starts with '# '`)).toEqual(
    [],
  )
})

test('every source file can be reached from a door', () => {
  const reached = new Set(sources.filter(isDoor))
  for (const path of reached)
    for (const { target } of importsOf(path)) if (sources.includes(target)) reached.add(target)
  const dead = sources.filter(path => !reached.has(path))
  expect(dead.map(path => `${path}:1: nothing leads here from src/*.ts; import it or delete it`)).toEqual([])
})

test('nothing names a path of the machine it was written on, or a package registry', () => {
  const machine = /(?:^|[\s"'`(=:/])\/(?:work|farm|root|home)\/[\w.-]*/
  const registry = /https?:\/\/[^\s"'/]*(?:registry|nexus|artifactory|verdaccio)[^\s"'/]*|"resolved"\s*:.*/
  const texts = all.filter(path =>
    /(^|\/)[^.]*$|\.(?:[cm]?[jt]s|json|md|ya?ml|txt|sh|java|xml|html)$|\/run$|\/\./.test(path),
  )
  const problems = texts.flatMap(path => {
    const text = read(path)
    return [
      ...findings(path, text, machine, 'use a path relative to the repository'),
      ...findings(path, text, registry, 'leave it to the configuration of npm'),
    ]
  })
  expect(problems).toEqual([])
})

test('the core has no runtime dependency, and every peer is optional', () => {
  const manifest = JSON.parse(read('package.json')) as Record<
    string,
    Record<string, { optional?: boolean }> | undefined
  >
  const needed = ['dependencies', 'optionalDependencies', 'bundleDependencies'].flatMap(key =>
    Object.keys(manifest[key] ?? {}),
  )
  const peers = Object.keys(manifest.peerDependencies ?? {}).filter(
    name => manifest.peerDependenciesMeta?.[name]?.optional !== true,
  )
  expect(needed.map(name => `package.json: '${name}'; use an optional peer, loaded by import()`)).toEqual([])
  expect(peers.map(name => `package.json: peer '${name}'; mark it optional in peerDependenciesMeta`)).toEqual([])
})
