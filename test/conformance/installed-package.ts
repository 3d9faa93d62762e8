/** The package as its users get it: packed, and installed from the tarball and npm's registry in a folder of its own. */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('../..', import.meta.url))

/** What `npm pack` builds the package from. */
const sources = [
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'tsconfig.cjs.json',
  'README.md',
  'CHANGELOG.md',
  'LICENSE',
  'docs',
  'src',
]

/** Runners and compilers that a user has beside it; the oldest compiler that the README promises goes by a name of its own. */
const neighbours = [
  'vitest@4',
  'jest@30',
  '@jest/globals@30',
  'typescript@latest',
  'typescript-oldest@npm:typescript@5.2',
  '@types/node@20',
  'publint@0.3',
]

export interface Ran {
  readonly status: number
  /** Both streams, without colours. */
  readonly output: string
}

/** A user's project. Nothing above its folder has modules. */
export class InstalledPackage {
  readonly folder = mkdtempSync(join(tmpdir(), 'mini-kafka-installed-'))
  readonly tarball: string
  /** Node 20: ours if it is one, otherwise one from the registry. */
  readonly node: string

  constructor() {
    this.tarball = this.#pack()
    this.write('package.json', '{ "name": "empty", "version": "1.0.0", "private": true }')
    const own = process.versions.node.startsWith('20.')
    const platform = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`
    const wanted = [this.tarball, ...neighbours, ...(own ? [] : [`${platform}@20`])]
    this.#npm(this.folder, ['install', '--save-dev', '--prefer-offline', '--no-audit', '--no-fund', ...wanted])
    this.node = own ? process.execPath : join(this.folder, 'node_modules', platform, 'bin/node')
  }

  /** Whether npm's registry answers. */
  static registryAnswers(): boolean {
    return spawnSync('npm', ['ping', '--fetch-retries=0', '--fetch-timeout=10000'], { timeout: 15_000 }).status === 0
  }

  /** Of the package alone: what is in it, as paths with slashes. */
  get contents(): string[] {
    const folder = join(this.folder, 'node_modules/mini-kafka')
    const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
    const files = entries.filter(each => each.isFile())
    return files.map(({ parentPath, name }) =>
      join(parentPath, name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
  }

  write(name: string, text: string): void {
    const file = join(this.folder, name)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8')
  }

  /** A command of `node_modules/.bin`. */
  run(command: string, args: readonly string[], folder = '.'): Ran {
    return this.#run(join(this.folder, 'node_modules/.bin', command), args, join(this.folder, folder))
  }

  /** Node 20. */
  runNode(args: readonly string[], folder = '.'): Ran {
    return this.#run(this.node, args, join(this.folder, folder))
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }

  /** From a copy, so that its build does not touch ours. */
  #pack(): string {
    const copy = join(this.folder, '.packed')
    for (const name of sources) cpSync(join(root, name), join(copy, name), { recursive: true })
    symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'))
    // Left over from an earlier build: it must not be packed.
    mkdirSync(join(copy, 'dist/esm'), { recursive: true })
    writeFileSync(join(copy, 'dist/esm/removed-long-ago.js'), '')
    this.#npm(copy, ['pack'])
    const name = readdirSync(copy).find(each => each.endsWith('.tgz'))!
    return join(copy, name)
  }

  #npm(folder: string, args: readonly string[]): void {
    const { status, output } = this.#run('npm', args, folder)
    if (status !== 0) throw new Error(`npm ${args.join(' ')}: ${output}`)
  }

  #run(command: string, args: readonly string[], cwd: string): Ran {
    const { NO_COLOR: _, FORCE_COLOR: __, VITEST: ___, NODE_OPTIONS: ____, ...inherited } = process.env
    const env = { ...inherited, NO_COLOR: '1', CI: '1' }
    const ran = spawnSync(command, args, { cwd, env, encoding: 'utf8' })
    return { status: ran.status ?? -1, output: `${ran.stdout}\n${ran.stderr}` }
  }
}
