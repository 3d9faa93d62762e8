/** Passwords, tokens and what proves them are in no trace, no journal, no diagram and no error, whatever happens. */
import { inspect } from 'node:util'
import { afterEach, expect, test } from 'vitest'
import { Admin, type Cluster, createCluster, Producer } from '../../src/index.ts'
import { until } from './raw-socket.ts'
import { unsigned } from './sasl-dialogue.ts'
import { jaasOf, refusal, saslOf, secured, works } from './secured.ts'

let cluster: Cluster | undefined
afterEach(async () => {
  await cluster?.close()
  cluster = undefined
})

const secret = 'correct horse battery staple'
const guess = 'tr0ub4dor and 3'
const other = 'swordfish of carol'
const tokenKey = 'the key of all tokens'
const keystorePassword = 'sesame of the store'

/** As a text in which bytes are legible: as they are, and in the forms in which they are passed around. */
function legible(value: unknown): string {
  return JSON.stringify(value, (_, each) => {
    if (each?.type === 'Buffer') return legible(Uint8Array.from(each.data as number[]))
    if (!(each instanceof Uint8Array)) return typeof each === 'bigint' ? String(each) : each
    const bytes = Buffer.from(each)
    return ['latin1', 'base64', 'hex'].map(form => bytes.toString(form as 'hex')).join(' ')
  })
}

const formsOf = (text: string | Buffer) => {
  const bytes = Buffer.from(text as string)
  // Base64 of what stands behind something else begins one or two bytes later.
  const shifted = [0, 1, 2].map(at => bytes.subarray(at).toString('base64').slice(0, -4))
  return [bytes.toString('latin1'), bytes.toString('hex'), ...shifted]
}

test('nothing that anybody can read says them (M-60…M-64, KIP-48, KIP-554)', async () => {
  const warned: string[] = []
  const mechanisms = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const
  cluster = await secured({
    listen: [{ sasl: true }, { tls: true, sasl: true }],
    sasl: {
      users: { alice: secret },
      mechanisms,
      verifyToken: token => {
        throw new Error(`cannot check ${token}`)
      },
    },
    configs: { 'delegation.token.secret.key': tokenKey },
    warn: text => warned.push(text),
  })
  const server = { 'bootstrap.servers': cluster.bootstrapServers }
  const errors: unknown[] = []
  for (const mechanism of ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const) {
    await works({ ...saslOf(mechanism, 'alice', secret), ...server })
    errors.push(await refusal({ ...saslOf(mechanism, 'alice', guess), ...server }))
    await cluster.producer(saslOf(mechanism, 'alice', secret)).send({ topic: 'orders', value: 'x' })
  }
  const token = unsigned({ sub: 'alice', exp: 4_000_000_000, jti: other })
  const oauth = { ...saslOf('OAUTHBEARER'), 'sasl.jaas.config': null, 'sasl.login.callback.handler.class': () => token }
  errors.push(await refusal({ ...oauth, ...server }))
  const admin = new Admin({ ...saslOf('SCRAM-SHA-512', 'alice', secret), ...server })
  await admin.alterUserScramCredentials([
    { user: 'carol', mechanism: 'SCRAM-SHA-256', password: other, salt: Buffer.from('salt of carol') },
  ])
  const { hmac } = await admin.createDelegationToken()
  await admin.renewDelegationToken(hmac)
  await admin.describeDelegationToken()
  await admin.expireDelegationToken(hmac, { expiryTimePeriodMs: -1 }).catch(error => errors.push(error))
  await admin
    .incrementalAlterConfigs([
      {
        resource: { type: 'BROKER', name: '1' },
        configs: [{ name: 'ssl.keystore.password', value: keystorePassword }],
      },
    ] as never)
    .catch(error => errors.push(error))
  await admin.close()
  errors.push(
    await new Promise(resolve => {
      try {
        new Producer({
          ...server,
          ...saslOf('PLAIN'),
          'sasl.jaas.config': `${jaasOf('PLAIN', 'alice', secret)} ${guess}`,
        })
      } catch (error) {
        resolve(error)
      }
    }),
  )
  const { trace } = cluster
  const texts = {
    trace: trace.text(),
    json: trace.json(),
    diagram: trace.diagram(),
    journal: legible(cluster.requests()),
    errors: errors.map(error => inspect(error, { depth: 10 })).join('\n') + legible(errors),
    cluster: inspect(cluster, { depth: 6 }),
    warnings: warned.join('\n'),
  }
  expect(texts.journal).toContain('SaslAuthenticate')
  expect(texts.journal).toContain('AlterUserScramCredentials')
  expect(texts.trace).toContain('cannot check …')
  const shown = Object.entries(texts).flatMap(([where, text]) =>
    [secret, guess, other, tokenKey, keystorePassword, token, hmac].flatMap(each =>
      formsOf(each as string)
        .filter(form => text.includes(form))
        .map(form => `${where}: ${form}`),
    ),
  )
  expect(shown).toEqual([])
})

test('an option that is wrong is told without the password', async () => {
  const wrong: [options: object, message: string][] = [
    [{ users: { '': 'hunter2' } }, 'sasl: a user has a name, without NUL'],
    [{ users: { alice: '' } }, "sasl: the user 'alice' needs a password: a text, not empty, without NUL"],
    [{ users: { alice: 'hunter2\0' } }, "sasl: the user 'alice' needs a password: a text, not empty, without NUL"],
    [
      { mechanisms: ['GSSAPI'] },
      'sasl: the mechanism "GSSAPI" is not spoken here: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER',
    ],
    [{ mechanisms: [] }, 'sasl: mechanisms takes a list of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER'],
    [{ user: { alice: 'hunter2' } }, "unknown option of sasl 'user': did you mean 'users'?"],
    [{ verifyToken: 'hunter2' }, 'sasl: verifyToken takes a function, token => name'],
  ]
  for (const [sasl, message] of wrong) {
    const error = await createCluster({ sasl: sasl as never }).catch(reason => reason)
    expect(error.message).toBe(message)
    expect(inspect(error)).not.toContain('hunter2')
  }
  const two = { sasl: { users: { alice: 'hunter2' } }, listen: { sasl: { users: { alice: 'hunter3' } } } }
  await expect(createCluster(two)).rejects.toThrow("sasl: 'alice' has two passwords")
})

test.each(['delegation.token.secret.key', 'ssl.keystore.password'])(
  '%s of another kind is told without what it holds',
  async key => {
    const error = await createCluster({ configs: { [key]: ['hunter2'] } as never }).catch(reason => reason)
    expect(error.message).toBe(
      `Invalid value [hidden] for configuration ${key}: Expected value to be a string, but it was a object`,
    )
    expect(inspect(error)).not.toContain('hunter2')
  },
)

test('a broker that was killed while a token was looked at lets nobody in, and says nothing any more', async () => {
  const looked: ((name: string) => void)[] = []
  let isFirst = true
  cluster = await secured({
    time: 'real',
    sasl: {
      verifyToken: () => {
        if (!isFirst) return 'alice'
        isFirst = false
        return new Promise<string>(resolve => looked.push(resolve))
      },
    },
  })
  const oauth = {
    'security.protocol': 'SASL_PLAINTEXT',
    'sasl.mechanism': 'OAUTHBEARER',
    'sasl.login.callback.handler.class': () => 'a.b.c',
  } as const
  const sent = cluster.producer(oauth).send({ topic: 'orders', value: 'paid' })
  await until(() => looked.length === 1)
  await cluster.brokers[0]!.crash()
  looked[0]!('eve')
  await cluster.brokers[0]!.restart()
  await sent
  expect(cluster.requests({ api: 'Produce' }).map(({ principal }) => principal)).toEqual(['User:alice'])
  expect(cluster.trace.text()).not.toContain('User:eve')
})
