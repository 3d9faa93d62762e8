/** `mini-kafka --tls --sasl …`: what is said on stdout is the configuration of a client. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { runCommandLine } from '../../src/command-line/command-line.ts'
import { Output } from '../../src/command-line/terminal.ts'
import { Producer } from '../../src/index.ts'
import { jaasOf, saslOf } from '../cluster/secured.ts'
import { run } from './examples.ts'

/** A cluster from the command line, while `use` lasts; answers everything it has said. */
async function started(
  args: readonly string[],
  use: (config: Record<string, string>) => Promise<void>,
): Promise<string> {
  const stream = new PassThrough().setEncoding('utf8')
  const stop = new AbortController()
  let said = ''
  const lines = new Promise<string>(resolve => {
    stream.on('data', text => {
      said += text
      resolve(text)
    })
  })
  const terminal = {
    input: new PassThrough().end(),
    output: new Output(stream),
    stopped: stop.signal,
    say: (line: string) => {
      said += line
    },
  }
  const over = runCommandLine(terminal, ['--brokers', '1', '--port', '0', '--topic', 'orders', ...args])
  try {
    await use(
      Object.fromEntries(
        (await lines)
          .trim()
          .split('\n')
          .map(line => line.split(/=(.*)/s).slice(0, 2)),
      ),
    )
  } finally {
    stop.abort()
    expect(await over).toBe(0)
  }
  return said
}

test('--tls and --sasl: only who is named comes in, and stdout says how', async () => {
  let trusted = ''
  const said = await started(['--tls', '--sasl', 'alice:s3:cret', '--sasl', 'bob:hunter2'], async config => {
    expect(config).toMatchObject({ 'security.protocol': 'SASL_SSL', 'sasl.mechanism': 'SCRAM-SHA-512' })
    trusted = config['ssl.truststore.location']!
    for (const [name, password] of [
      ['alice', 's3:cret'],
      ['bob', 'hunter2'],
    ] as const) {
      const login = { 'sasl.jaas.config': jaasOf('SCRAM-SHA-512', name, password) }
      const producer = new Producer({ ...config, ...login })
      expect((await producer.send({ topic: 'orders', partition: 0, value: name })).offset).toBeGreaterThanOrEqual(0)
      await producer.close()
    }
    const wrong = new Producer({ ...config, 'sasl.jaas.config': jaasOf('SCRAM-SHA-512', 'alice', 'guess') })
    await expect(wrong.send({ topic: 'orders', value: 'x' })).rejects.toThrow('invalid credentials')
    await wrong.close()
  })
  expect(said).not.toMatch(/s3|cret|hunter2/)
  expect(existsSync(trusted)).toBe(false)
})

test('what stdout says, and who one is, is a file for consume and produce', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'command-config-'))
  const file = join(dir, 'client.properties')
  try {
    await started(['--tls', '--sasl', 'alice:secret'], async config => {
      const login = {
        ...config,
        'sasl.jaas.config': jaasOf('SCRAM-SHA-512', 'alice', 'secret').replace(' ', ' \\\n    '),
      }
      const lines = Object.entries(login).map(([key, value]) => `${key}=${value}`)
      writeFileSync(file, ['# alice', ...lines, 'linger.ms = 5', 'auto.offset.reset: earliest', ''].join('\n'))
      const producer = new Producer({ ...config, 'sasl.jaas.config': jaasOf('SCRAM-SHA-512', 'alice', 'secret') })
      await producer.send({ topic: 'orders', value: 'paid' })
      await producer.close()
      const consumed = await run('consume', '--topic', 'orders', '--command-config', file, '--max-records', '1')
      expect(consumed).toMatchObject({ code: 0, output: 'paid\n' })
      expect(await run('produce', '--topic', 'orders', '--command-config', file)).toMatchObject({ code: 0, errors: [] })
    })
  } finally {
    rmSync(dir, { recursive: true })
  }
  const missing = await run('consume', '--topic', 'orders', '--command-config', file)
  expect(missing.code).toBe(2)
  expect(missing.errors.join()).toMatch(/--command-config cannot be read: ENOENT/)
})

test('a mechanism that is named is the only one; --tls alone asks nobody', async () => {
  await started(['--sasl', 'alice:secret:plain'], async config => {
    expect(Object.keys(config)).toEqual(['bootstrap.servers', 'security.protocol', 'sasl.mechanism'])
    const producer = new Producer({ ...config, ...saslOf('PLAIN', 'alice', 'secret') })
    await producer.send({ topic: 'orders', value: 'x' })
    await producer.close()
  })
  await started(['--tls'], async config => {
    expect(config).toMatchObject({ 'security.protocol': 'SSL', 'ssl.truststore.type': 'PEM' })
    const producer = new Producer(config)
    await producer.send({ topic: 'orders', value: 'x' })
    await producer.close()
  })
})

test('--acl: what no ACL allows nobody may, but super users', async () => {
  const users = ['--sasl', 'alice:secret', '--sasl', 'bob:hunter2', '--sasl', 'root:toor']
  const acls = [
    '--acl',
    'alice:WRITE:topic:ord*',
    '--acl',
    '*:describe:topic:*',
    '--acl',
    'deny:bob:write:topic:orders',
  ]
  await started([...users, ...acls, '--config', 'super.users=User:root'], async config => {
    const outcome = async (name: string, password: string) => {
      const producer = new Producer({
        ...config,
        ...saslOf('SCRAM-SHA-512', name, password),
        'enable.idempotence': false,
      })
      try {
        return await producer.send({ topic: 'orders', value: 'x' }).then(
          () => 'written',
          (error: Error) => error.name,
        )
      } finally {
        await producer.close()
      }
    }
    expect(await outcome('alice', 'secret')).toBe('written')
    expect(await outcome('bob', 'hunter2')).toBe('TopicAuthorizationError')
    expect(await outcome('root', 'toor')).toBe('written')
  })
})

test.each([
  ['--acl alice', "mini-kafka: --acl takes [deny:]USER:OPERATION:RESOURCE, as in --acl 'alice:write:topic:orders-*'"],
  ['--acl alice:reed:topic:orders', "mini-kafka: --acl: there is no operation 'reed': did you mean 'read'?"],
  [
    '--acl alice:read:orders',
    "mini-kafka: --acl: a resource is one of topic:NAME, group:NAME, transactionalId:NAME, delegationToken:NAME, user:NAME, cluster, not 'orders'",
  ],
  ['--sasl alice', 'mini-kafka: --sasl takes USER:PASSWORD[:MECHANISM], as in --sasl alice:secret:SCRAM-SHA-256'],
  ['--sasl :hunter2', 'mini-kafka: --sasl takes USER:PASSWORD[:MECHANISM], as in --sasl alice:secret:SCRAM-SHA-256'],
  [
    '--sasl alice:hunter2:SCRAM-SHA-265',
    'mini-kafka: --sasl: there is no mechanism SCRAM-SHA-265 with passwords here: did you mean SCRAM-SHA-256?',
  ],
  [
    '--sasl alice:hunter2:GSSAPI',
    'mini-kafka: --sasl: there is no mechanism GSSAPI with passwords here: there are PLAIN, SCRAM-SHA-256, SCRAM-SHA-512',
  ],
  ['--sasl alice:hunter2 --sasl alice:hunter3', "mini-kafka: --sasl: the user 'alice' is given twice: leave one out"],
  ['--tls=yes', "mini-kafka: --tls takes no value: leave '=yes' out"],
  ['--tsl', 'mini-kafka: unknown flag --tsl: did you mean --tls?'],
])('%s', async (typed, line) => {
  const { code, output, errors } = await run(...typed.split(' '))
  expect([code, output, errors]).toEqual([2, '', [line]])
})
