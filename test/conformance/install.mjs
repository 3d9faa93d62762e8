/**
 * `npm run clients [-- name…]`: installs foreign Kafka clients, each into its folder under clients/. What is there already, made
 * from the same files, is left alone. A client that cannot be installed stops no other; its tests then say why they are skipped,
 * and under CI=true this fails, as they do.
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { argv, env, exit, stdout } from 'node:process'

const clients = join(import.meta.dirname, 'clients')
/** Of all that decides what gets installed. Drivers of languages that are compiled are part of it. */
const INPUTS = /^(install\.sh|package(-lock)?\.json|go\.(mod|sum)|requirements\.txt|.*\.go|.*\.java)$/
/** Compilers use all cores; what downloads meanwhile costs them nothing. */
const AT_ONCE = 2
const LIMIT_MS = 10 * 60_000

/** Of the files of a client's folder that decide what is installed there. */
export function fingerprint(folder) {
  const hash = createHash('sha256')
  for (const name of readdirSync(folder).sort()) {
    if (INPUTS.test(name)) hash.update(`${name}\n`).update(readFileSync(join(folder, name)))
  }
  return hash.digest('hex')
}

/** Where it is said how the last attempt ended. */
export const noteOf = folder => join(folder, 'build/installed.json')

function isInstalled(folder) {
  const file = noteOf(folder)
  if (!existsSync(file)) return false
  const { inputs, failure } = JSON.parse(readFileSync(file, 'utf8'))
  return failure === undefined && inputs === fingerprint(folder)
}

function commandOf(folder) {
  if (existsSync(join(folder, 'install.sh'))) return ['bash', ['install.sh']]
  if (existsSync(join(folder, 'package-lock.json'))) return ['npm', ['ci', '--no-audit', '--no-fund']]
  return undefined
}

/** The failure in a line, or undefined. */
function run(folder, [command, args]) {
  return new Promise(resolve => {
    let output = ''
    const child = spawn(command, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT_MS })
    const keep = bytes => {
      output = (output + bytes).slice(-20_000)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', error => resolve(error.message))
    child.on('close', (code, signal) => {
      if (code === 0) return resolve(undefined)
      stdout.write(`${output}\n`)
      const last = output
        .trim()
        .split('\n')
        .findLast(line => /error|cannot|not found|fatal/i.test(line))
      resolve(last?.trim() ?? `${command} ${args.join(' ')} ended with ${code ?? signal}`)
    })
  })
}

async function install(name) {
  const folder = join(clients, name)
  if (isInstalled(folder)) return stdout.write(`${name}: there\n`)
  const begun = Date.now()
  const command = commandOf(folder)
  const failure = command && (await run(folder, command))
  mkdirSync(join(folder, 'build'), { recursive: true })
  writeFileSync(noteOf(folder), JSON.stringify({ inputs: fingerprint(folder), failure }))
  stdout.write(`${name}: ${failure ?? 'installed'} (${((Date.now() - begun) / 1000).toFixed(0)} s)\n`)
  if (failure !== undefined && env.CI === 'true') process.exitCode = 1
}

async function main(wanted) {
  const all = readdirSync(clients).filter(name => existsSync(join(clients, name, 'client.json')))
  for (const name of wanted) {
    if (!all.includes(name)) {
      stdout.write(`no client '${name}': there are ${all.join(', ')}\n`)
      exit(2)
    }
  }
  const queue = wanted.length > 0 ? wanted : all.sort()
  const lane = async () => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) await install(name)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, lane))
}

if (argv[1] === import.meta.filename) await main(argv.slice(2))
