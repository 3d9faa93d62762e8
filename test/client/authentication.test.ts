/** How clients say who they are: what their configuration must hold, and what goes over the wire to a scripted broker. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { saslAuthenticate } from '../../src/apis/sasl-authenticate.ts'
import { saslHandshake } from '../../src/apis/sasl-handshake.ts'
import { parseJaas } from '../../src/client/authentication/jaas.ts'
import { TokenCache } from '../../src/client/authentication/token-cache.ts'
import { unsecuredToken } from '../../src/client/authentication/unsecured-token.ts'
import {
  AuthenticationError,
  type Cluster,
  ConfigError,
  createCluster,
  disconnect,
  Producer,
  type ProducerOptions,
} from '../../src/index.ts'
import { VirtualRuntime } from '../../src/runtime/virtual.ts'
import { type ErrorName, errorCodes } from '../../src/wire/errors.ts'

const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="secret";'

describe('sasl.jaas.config', () => {
  const read = (text: string) => {
    const { name, options } = parseJaas(text)
    return [name, Object.fromEntries(options)]
  }

  test('is read as Java reads it', () => {
    expect(read(plain)).toEqual([
      'org.apache.kafka.common.security.plain.PlainLoginModule',
      { username: 'alice', password: 'secret' },
    ])
    expect(read('  M REQUIRED\n  username = alice\n  password=\'it "is" = ;\' ;  ')).toEqual([
      'M',
      { username: 'alice', password: 'it "is" = ;' },
    ])
    expect(read(String.raw`M optional password="a\"b\\c\n" n=5;`)).toEqual(['M', { password: 'a"b\\c\n', n: '5' }])
    expect(read('M sufficient;')).toEqual(['M', {}])
  })

  test('of another form is refused without telling the password', () => {
    const wrong: [text: string, reason: string][] = [
      ['', 'the login module is missing'],
      ['nonsense', 'the control flag is missing'],
      ['M always;', 'the control flag is one of required, requisite, sufficient, optional'],
      ['M required username="alice" password="hunter2"', 'the ; at its end is missing'],
      ['M required username "hunter2";', 'the = after username is missing'],
      ['M required username=;', 'the value of username is missing'],
      ['M required =hunter2;', 'the name of an option is missing'],
      ['M required password="hunter2;', 'a quote is not closed'],
      [`${plain} ${plain}`, 'there is more than one login module'],
    ]
    for (const [text, reason] of wrong) {
      expect(() => parseJaas(text)).toThrow(ConfigError)
      expect(() => parseJaas(text)).toThrow(`sasl.jaas.config: ${reason}; it is written like this: `)
      expect(() => parseJaas(text)).not.toThrow(/hunter2/)
    }
  })
})

describe('what a mechanism needs is asked for when the client is made', () => {
  const base = { 'bootstrap.servers': 'localhost:1', 'security.protocol': 'sasl_plaintext' } as const
  const refusal = (config: ProducerOptions) => {
    try {
      new Producer({ ...base, ...config }).close({ timeoutMs: 0 })
      return 'taken'
    } catch (error) {
      expect(error).toBeInstanceOf(ConfigError)
      return (error as Error).message
    }
  }
  const example = (kind: string) =>
    `needs it, as in org.apache.kafka.common.security.${kind}LoginModule required username="alice" password="secret";`

  test.each<[config: ProducerOptions, text: string]>([
    [{}, "sasl.mechanism 'GSSAPI' is not spoken here: set one of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER"],
    [{ 'sasl.mechanism': 'PLAIN' }, `sasl.jaas.config is missing: sasl.mechanism PLAIN ${example('plain.Plain')}`],
    [
      { 'sasl.mechanism': 'SCRAM-SHA-512', 'sasl.jaas.config': 'M required username="alice";' },
      `sasl.jaas.config has no password: sasl.mechanism SCRAM-SHA-512 ${example('scram.Scram')}`,
    ],
    [
      { 'sasl.mechanism': 'OAUTHBEARER' },
      'sasl.jaas.config: OAUTHBEARER needs unsecuredLoginStringClaim_sub="alice", ' +
        'or sasl.login.callback.handler.class a function that answers a token',
    ],
    [
      { 'sasl.mechanism': 'OAUTHBEARER', 'sasl.login.callback.handler.class': {} },
      'sasl.login.callback.handler.class must be a function () => token, or an object with token',
    ],
    [{ 'sasl.mechanism': 'PLAIN', 'sasl.jaas.config': plain }, 'taken'],
    [{ 'sasl.mechanism': 'OAUTHBEARER', 'sasl.login.callback.handler.class': () => 'token' }, 'taken'],
  ])('%j', (config, text) => {
    expect(refusal(config)).toBe(text)
  })
})

describe('a token that nobody signed', () => {
  const options = (text: string) => parseJaas(`M required ${text};`).options
  const read = (text: string) => {
    const token = unsecuredToken(options(text), 1_000_000)
    const [header, claims, signature] = token.value.split('.').map(part => Buffer.from(part, 'base64url').toString())
    return { header: JSON.parse(header!), claims: JSON.parse(claims!), signature, ...token, value: undefined }
  }

  test('says what the options of the login module say (KIP-255)', () => {
    const text =
      'unsecuredLoginStringClaim_sub="alice" unsecuredLoginNumberClaim_level="7" ' +
      'unsecuredLoginListClaim_scope=",read,write" unsecuredLoginExtension_team="blue"'
    expect(read(text)).toEqual({
      header: { alg: 'none' },
      claims: { iat: 1000, exp: 4600, sub: 'alice', level: 7, scope: ['read', 'write'] },
      signature: '',
      lifetimeMs: 3_600_000,
      extensions: { team: 'blue' },
    })
    const own =
      'unsecuredLoginPrincipalClaimName=user unsecuredLoginStringClaim_user=bob unsecuredLoginLifetimeSeconds=5'
    expect(read(own)).toMatchObject({ claims: { user: 'bob', exp: 1005 }, lifetimeMs: 5_000 })
  })

  test('needs a principal, and numbers that are numbers', () => {
    expect(() => read('')).toThrow('OAUTHBEARER needs unsecuredLoginStringClaim_sub="alice"')
    expect(() => read('unsecuredLoginStringClaim_sub=a unsecuredLoginNumberClaim_level=high')).toThrow(
      "sasl.jaas.config: unsecuredLoginNumberClaim_level is a number, not 'high'",
    )
  })
})

test('a token is used for most of its life, then the next is asked for; one without a life is used once (KIP-255)', async () => {
  const runtime = new VirtualRuntime({ seed: 1 })
  const times = { windowFactor: 0.8, windowJitter: 0, minPeriodMs: 60_000, bufferMs: 300_000 }
  const cached = async (lifetimeMs: number | undefined, pauses: number[]) => {
    let asked = 0
    const cache = new TokenCache(runtime, () => ({ value: `t${++asked}`, lifetimeMs }), times)
    const seen = [(await cache.token()).value]
    for (const ms of pauses) {
      await runtime.drive('time passes', () => runtime.sleep(ms))
      seen.push((await cache.token()).value)
    }
    return seen
  }
  // Refreshed at 80 % of an hour; at the buffer of 5 minutes, where that comes first.
  expect(await cached(3_600_000, [2_879_999, 1])).toEqual(['t1', 't1', 't2'])
  expect(await cached(600_000, [299_999, 1])).toEqual(['t1', 't1', 't2'])
  // Neither buffer nor minimum count where they do not fit in.
  expect(await cached(10_000, [7_999, 1])).toEqual(['t1', 't1', 't2'])
  expect(await cached(undefined, [0])).toEqual(['t1', 't2'])
  let failures = 0
  const failing = new TokenCache(
    runtime,
    () => {
      if (++failures < 2) throw new Error('no token today')
      return { value: 't' }
    },
    times,
  )
  await expect(failing.token()).rejects.toThrow('no token today')
  expect((await failing.token()).value).toBe('t')
  await runtime.close(new Error('closed'))
})

describe('over the wire', () => {
  let cluster: Cluster
  beforeEach(async () => {
    cluster = await createCluster({ brokers: 1, topics: { orders: {} } })
  })
  afterEach(() => cluster.close())

  const config = {
    'security.protocol': 'SASL_PLAINTEXT',
    'sasl.mechanism': 'PLAIN',
    'sasl.jaas.config': plain,
  } as const
  /** Takes the mechanisms, and answers tokens as told; what it was sent stands in `tokens`. */
  function script(
    answer: (token: string, n: number) => { error?: ErrorName; text?: string; lifetimeMs?: number } | string,
  ) {
    const tokens: string[] = []
    const versions = new Set<string>()
    cluster.intercept(saslHandshake, ({ body, version }) => {
      versions.add(`SaslHandshake v${version} ${body.mechanism}`)
      return { errorCode: 0, mechanisms: ['PLAIN'] }
    })
    cluster.intercept(saslAuthenticate, ({ body, version }) => {
      versions.add(`SaslAuthenticate v${version}`)
      tokens.push(Buffer.from(body.authBytes).toString())
      const answered = answer(tokens.at(-1)!, tokens.length)
      if (answered === disconnect) return disconnect
      const { error = 'NONE', text = '', lifetimeMs = 0 } = typeof answered === 'string' ? { text: answered } : answered
      const isToken = error === 'NONE'
      return {
        errorCode: errorCodes[error],
        errorMessage: isToken ? null : text,
        authBytes: Buffer.from(isToken ? text : ''),
        sessionLifetimeMs: lifetimeMs,
      }
    })
    return { tokens, versions }
  }

  test('PLAIN sends one token in SaslAuthenticate, after SaslHandshake v1, on every connection', async () => {
    const { tokens, versions } = script(() => '')
    const producer = cluster.producer(config)
    expect(await producer.send({ topic: 'orders', value: 'x' })).toMatchObject({ offset: 0 })
    expect([...versions]).toEqual(['SaslHandshake v1 PLAIN', 'SaslAuthenticate v2'])
    expect(new Set(tokens)).toEqual(new Set(['\0alice\0secret']))
    const first = cluster.requests({ from: producer.name }).slice(0, 4)
    expect(first.map(({ api }) => api)).toEqual(['ApiVersions', 'SaslHandshake', 'SaslAuthenticate', 'Metadata'])
  })

  test('a broker that refuses is not asked again by whoever waits: send, poll and admin reject at once', async () => {
    const { tokens } = script(() => ({
      error: 'SASL_AUTHENTICATION_FAILED',
      text: 'Authentication failed: Invalid username or password',
    }))
    const consumer = cluster.consumer(config)
    consumer.assign([{ topic: 'orders', partition: 0 }])
    const calls = [
      cluster.producer(config).send({ topic: 'orders', value: 'x' }),
      consumer.poll({ timeoutMs: 60_000 }),
      cluster.admin(config).listTopics(),
    ]
    const began = cluster.clock.now()
    const errors = await Promise.all(
      calls.map(call =>
        call.then(
          () => undefined,
          error => error,
        ),
      ),
    )
    for (const error of errors) {
      expect(error).toBeInstanceOf(AuthenticationError)
      expect(error).toMatchObject({
        name: 'SaslAuthenticationError',
        fatal: true,
        retriable: false,
        message: 'Authentication failed: Invalid username or password (PLAIN, broker at broker-1:9092)',
      })
    }
    expect(cluster.clock.now() - began).toBeLessThan(1_000)
    expect(tokens.length).toBeGreaterThanOrEqual(3)
  })

  test('a listener without SASL, and a mechanism that is not enabled, are told apart', async () => {
    const refused = () =>
      cluster
        .producer(config)
        .send({ topic: 'orders', value: 'x' })
        .catch(error => error)
    expect(await refused()).toMatchObject({
      errorName: 'ILLEGAL_SASL_STATE',
      message: expect.stringMatching(
        /^the broker does not expect a client to authenticate: is its listener one with SASL\?/,
      ),
    })
    cluster.intercept(saslHandshake, () => ({
      errorCode: errorCodes.UNSUPPORTED_SASL_MECHANISM,
      mechanisms: ['SCRAM-SHA-256', 'OAUTHBEARER'],
    }))
    const enabled = 'enabled mechanisms are [SCRAM-SHA-256, OAUTHBEARER] (broker at broker-1:9092)'
    expect(await refused()).toMatchObject({
      errorName: 'UNSUPPORTED_SASL_MECHANISM',
      fatal: true,
      message: `Client SASL mechanism 'PLAIN' not enabled in the server, ${enabled}`,
    })
  })

  test('a connection that ends while authenticating is made again', async () => {
    const { tokens } = script((_, n) => (n === 1 ? disconnect : ''))
    expect(await cluster.producer(config).send({ topic: 'orders', value: 'x' })).toMatchObject({ offset: 0 })
    expect(tokens.length).toBeGreaterThanOrEqual(2)
  })

  test('OAUTHBEARER sends the token and its extensions; on a refusal it confirms, and is told why (KIP-255, KIP-342)', async () => {
    const { tokens } = script(token =>
      token === '\x01'
        ? { error: 'SASL_AUTHENTICATION_FAILED', text: '{"status":"invalid_token"}' }
        : '{"status":"invalid_token"}',
    )
    const token = async () => ({ value: 'a.b.c', lifetimeMs: 60_000, extensions: { team: 'blue' } })
    const own = { ...config, 'sasl.mechanism': 'OAUTHBEARER', 'sasl.login.callback.handler.class': token }
    const error = await cluster
      .producer(own)
      .send({ topic: 'orders', value: 'x' })
      .catch(reason => reason)
    expect(tokens.slice(0, 2)).toEqual(['n,,\x01auth=Bearer a.b.c\x01team=blue\x01\x01', '\x01'])
    expect(error).toMatchObject({
      errorName: 'SASL_AUTHENTICATION_FAILED',
      message: '{"status":"invalid_token"} (OAUTHBEARER, broker at broker-1:9092)',
    })
  })

  test('a provider that has no token, and extensions that cannot be said, end the attempt', async () => {
    script(() => '')
    const failure = (provider: object) =>
      cluster
        .producer({ ...config, 'sasl.mechanism': 'OAUTHBEARER', 'sasl.login.callback.handler.class': provider })
        .send({ topic: 'orders', value: 'x' })
        .catch(error => error)
    const boom = new Error('the identity provider is down')
    expect(
      await failure(async () => {
        throw boom
      }),
    ).toMatchObject({
      errorName: 'SASL_AUTHENTICATION_FAILED',
      cause: boom,
      message: expect.stringMatching(/^there is no token: the identity provider is down \(OAUTHBEARER, /),
    })
    expect((await failure({ token: () => 5 })).message).toMatch('answers the text of a token, or { value, lifetimeMs }')
    const extensions = { auth: 'x' }
    expect((await failure(() => ({ value: 't', extensions }))).message).toMatch(
      "an extension has a name of letters, which is not auth, and printable text: 'auth'",
    )
  })

  test('before a session ends it is renewed on the same connection; requests wait for that (KIP-368)', async () => {
    const { tokens } = script(() => ({ lifetimeMs: 10_000 }))
    const producer = cluster.producer({ ...config, 'linger.ms': 0 })
    await producer.send({ topic: 'orders', value: 'a' })
    const before = tokens.length
    await cluster.clock.advance(8_000)
    await producer.send({ topic: 'orders', value: 'b' })
    expect(tokens.length).toBe(before)
    await cluster.clock.advance(1_600)
    const later = ['c', 'd', 'e'].map(value => producer.send({ topic: 'orders', value }))
    expect((await Promise.all(later)).map(({ offset }) => offset)).toEqual([2, 3, 4])
    expect(tokens.length).toBe(before + 1)
    const last = cluster.requests({ from: producer.name }).slice(-3)
    expect(last.map(({ api }) => api)).toEqual(['SaslHandshake', 'SaslAuthenticate', 'Produce'])
  })

  test('whom the broker does not take again, fails with what waited, and connects anew', async () => {
    let refuses = false
    script(() => (refuses ? { error: 'SASL_AUTHENTICATION_FAILED', text: 'revoked' } : { lifetimeMs: 10_000 }))
    const producer = cluster.producer({ ...config, 'linger.ms': 0, retries: 0 })
    await producer.send({ topic: 'orders', value: 'a' })
    await cluster.clock.advance(9_600)
    refuses = true
    await expect(producer.send({ topic: 'orders', value: 'b' })).rejects.toMatchObject({
      errorName: 'SASL_AUTHENTICATION_FAILED',
      message: expect.stringMatching(/^revoked \(PLAIN, broker at broker-1:9092\)/),
    })
    refuses = false
    expect(await cluster.producer(config).send({ topic: 'orders', value: 'c' })).toMatchObject({ offset: 1 })
  })

  test('in the process of the cluster there is nothing to encrypt', () => {
    expect(() => cluster.producer({ 'security.protocol': 'SSL' })).toThrow(
      new ConfigError(
        'security.protocol SSL: clients in the process of their cluster are connected without TLS: ' +
          "leave it out, or say 'SASL_PLAINTEXT'",
      ),
    )
  })
})
