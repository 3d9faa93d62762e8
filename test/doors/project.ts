/** A project beside ours that has installed the package as it is built: what its users get. */
import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const fixtures = fileURLToPath(new URL('fixtures', import.meta.url))
const typescript = join(root, 'node_modules/typescript/bin/tsc')

export interface Ran {
  readonly status: number
  /** Both streams, without colours. */
  readonly output: string
}

export class Project {
  readonly folder: string

  /** Below `dist`, where Node finds the runners of ours, and nobody looks for tests. */
  constructor() {
    mkdirSync(join(root, 'dist'), { recursive: true })
    this.folder = mkdtempSync(join(root, 'dist/project-'))
    const installed = join(this.folder, 'node_modules/mini-kafka')
    // Types are checked elsewhere: here they are only written.
    for (const [config, out] of [
      ['tsconfig.build.json', 'esm'],
      ['tsconfig.cjs.json', 'cjs'],
    ] as const) {
      const target = join(installed, 'dist', out)
      execFileSync(process.execPath, [typescript, '-p', join(root, config), '--noCheck', '--outDir', target])
    }
    writeFileSync(join(installed, 'dist/cjs/package.json'), JSON.stringify({ type: 'commonjs' }))
    cpSync(join(root, 'package.json'), join(installed, 'package.json'))
    this.write('package.json', JSON.stringify({ name: 'project', type: 'module' }))
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text)
  }

  read(name: string): string {
    return readFileSync(join(this.folder, name), 'utf8')
  }

  /** The files of a folder of the package, as they were installed. */
  installed(folder: string): { readonly name: string; readonly text: string }[] {
    const path = join('node_modules/mini-kafka', folder)
    const names = readdirSync(join(this.folder, path), { recursive: true, encoding: 'utf8' })
    const files = names.filter(name => statSync(join(this.folder, path, name)).isFile())
    return files.map(name => ({ name, text: this.read(join(path, name)) }))
  }

  /** A file of the fixtures, under another name. */
  take(fixture: string, name: string): void {
    cpSync(join(fixtures, fixture), join(this.folder, name))
  }

  node(args: readonly string[], environment: Readonly<Record<string, string>> = {}): Ran {
    const { NO_COLOR: _, FORCE_COLOR: __, VITEST: ___, ...inherited } = process.env
    const env = { ...inherited, ...environment, NO_COLOR: '1', CI: '1' }
    const ran = spawnSync(process.execPath, args, { cwd: this.folder, env, encoding: 'utf8' })
    return { status: ran.status ?? -1, output: `${ran.stdout}\n${ran.stderr}` }
  }

  vitest(args: readonly string[], environment?: Readonly<Record<string, string>>): Ran {
    return this.node([join(root, 'node_modules/vitest/vitest.mjs'), 'run', '--root', '.', ...args], environment)
  }

  jest(args: readonly string[], environment?: Readonly<Record<string, string>>): Ran {
    return this.node([join(root, 'node_modules/jest/bin/jest.js'), '--rootDir', '.', ...args], environment)
  }

  typescript(args: readonly string[]): Ran {
    return this.node([typescript, ...args])
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}
