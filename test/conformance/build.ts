import { execFileSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '../..')

/** Where the command line lies that clients meet: as deep as in the package. */
export const builtFolder: string = join(root, 'dist/conformance')

/** Of these sources, whose types are checked elsewhere. */
export default function build(): void {
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const args = [compiler, '-p', join(root, 'tsconfig.build.json'), '--noCheck', '--outDir', builtFolder]
  execFileSync(process.execPath, args, { stdio: 'inherit' })
}
