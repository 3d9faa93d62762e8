import { type Step, scram, unsigned } from './sasl-dialogue.ts'

/** What the dialogues take for granted: users of both, and that sessions last three seconds. */
export const people = { alice: "alice's secret", bob: 'hunter2' }
export const MAX_REAUTH_MS = 3_000

const enabled = '[OAUTHBEARER PLAIN SCRAM-SHA-256]'
const taken = `SaslHandshake NONE ${enabled}`
const alice = "\0alice\0alice's secret"
const hello: Step = { ask: 18, version: 3, body: { clientSoftwareName: 'x', clientSoftwareVersion: '1' } }
const metadata: Step = { ask: 3, version: 13, body: { topics: [] } }
const plain: Step[] = [{ handshake: 'PLAIN' }, { token: alice }]
const plainTaken = [taken, 'SaslAuthenticate NONE | for a while']
const generic = (mechanism: string, again = '') =>
  `SaslAuthenticate SASL_AUTHENTICATION_FAILED Authentication failed during ${again}authentication due to invalid credentials with SASL mechanism ${mechanism}|`
const failed = (message: string) => `SaslAuthenticate SASL_AUTHENTICATION_FAILED ${message}|`
/** The same after a handshake of version 0. */
const raw = (step: Step): Step => {
  if ('handshake' in step) return { ...step, version: 0 }
  return 'token' in step ? { raw: step.token } : step
}
const seconds = () => Math.floor(Date.now() / 1000)
const bearer = (token: string, header = 'n,,', rest = '') => `${header}\x01auth=Bearer ${token}\x01${rest}\x01`
const oauth = (token: string): Step[] => [{ handshake: 'OAUTHBEARER' }, { token }]
const refusedToken = 'SaslAuthenticate NONE |{"status":"invalid_token"}'

/** Each with what a real Kafka 4.3.1 answers. */
export const dialogues: readonly (readonly [name: string, steps: () => Step[], answers: readonly string[]])[] = [
  // M-60, W-16: what may be said when
  [
    'ApiVersions, handshake, token, and then anything',
    () => [hello, ...plain, metadata],
    ['ApiVersions NONE', ...plainTaken, 'Metadata NONE'],
  ],
  ['no ApiVersions', () => [...plain, metadata], [...plainTaken, 'Metadata NONE']],
  [
    'handshake v0, and a token as it is',
    () => [{ handshake: 'PLAIN', version: 0 }, { raw: alice }, metadata],
    [taken, "token ''", 'Metadata NONE'],
  ],
  // W-7: it is legal, and says nothing.
  ['handshake v0, and an empty token', () => [{ handshake: 'PLAIN', version: 0 }, { raw: '' }], [taken, 'closed']],
  [
    'handshake v0, and a wrong token',
    () => [{ handshake: 'PLAIN', version: 0 }, { raw: '\0alice\0guess' }],
    [taken, 'closed'],
  ],
  [
    'handshake v0, and SaslAuthenticate',
    () => [{ handshake: 'PLAIN', version: 0 }, { token: alice }],
    [taken, 'closed'],
  ],
  ['a request before the handshake', () => [metadata], ['closed']],
  ['a request before the handshake, after ApiVersions', () => [hello, metadata], ['ApiVersions NONE', 'closed']],
  ['a token before the handshake', () => [{ token: alice }], ['closed']],
  ['ApiVersions twice', () => [hello, hello], ['ApiVersions NONE', 'closed']],
  [
    'ApiVersions of a nameless client does not count',
    () => [{ ask: 18, version: 3, body: { clientSoftwareName: '', clientSoftwareVersion: '' } }, hello, ...plain],
    ['ApiVersions INVALID_REQUEST', 'ApiVersions NONE', ...plainTaken],
  ],
  [
    'ApiVersions of no version does not count',
    () => [{ ...hello, version: 99, answeredIn: 0 }, hello, ...plain],
    ['ApiVersions UNSUPPORTED_VERSION', 'ApiVersions NONE', ...plainTaken],
  ],
  [
    'a request after the handshake',
    () => [{ handshake: 'PLAIN' }, metadata],
    [taken, 'Metadata ILLEGAL_SASL_STATE', 'closed'],
  ],
  [
    'a request for a topic without a name after the handshake',
    () => [{ handshake: 'PLAIN' }, { ask: 3, version: 10, body: { topics: [{ name: null }] } }],
    [taken, 'Metadata ILLEGAL_SASL_STATE', 'closed'],
  ],
  [
    'ApiVersions after the handshake',
    () => [{ handshake: 'PLAIN' }, hello],
    [taken, 'ApiVersions ILLEGAL_SASL_STATE', 'closed'],
  ],
  [
    'a handshake after the handshake',
    () => [{ handshake: 'PLAIN' }, { handshake: 'PLAIN' }],
    [taken, 'SaslHandshake ILLEGAL_SASL_STATE []', 'closed'],
  ],
  [
    'a request about topics after the handshake',
    () => [
      { handshake: 'PLAIN' },
      {
        ask: 2,
        version: 7,
        body: { replicaId: -1, topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, timestamp: -1 }] }] },
      },
    ],
    [taken, 'ListOffsets ILLEGAL_SASL_STATE', 'closed'],
  ],
  ['a handshake of no version', () => [{ handshake: 'PLAIN', version: 9 }], ['closed']],
  ['SaslAuthenticate of no version', () => [{ handshake: 'PLAIN' }, { token: alice, version: 9 }], [taken, 'closed']],
  ['no request at all', () => [{ bytes: Buffer.from('\0\0\0\x0bhello world', 'latin1') }], ['closed']],
  [
    'an API of nobody',
    () => [{ bytes: Buffer.from('\0\0\0\x0a\x03\xe7\0\0\0\0\0\x01\xff\xff', 'latin1') }],
    ['closed'],
  ],
  ['a frame that is too long', () => [{ bytes: Buffer.from('\0\x08\0\x01', 'latin1') }], ['closed']],
  // M-61
  [
    'a mechanism that is not enabled',
    () => [{ handshake: 'SCRAM-SHA-512' }],
    [`SaslHandshake UNSUPPORTED_SASL_MECHANISM ${enabled}`, 'closed'],
  ],
  [
    'a mechanism in small letters',
    () => [{ handshake: 'plain' }],
    [`SaslHandshake UNSUPPORTED_SASL_MECHANISM ${enabled}`, 'closed'],
  ],
  // M-62
  ...(
    [
      ['a wrong password', '\0alice\0guess', 'Authentication failed: Invalid username or password'],
      ['an unknown name', '\0mallory\0guess', 'Authentication failed: Invalid username or password'],
      ['two parts', 'alice\0secret', 'Invalid SASL/PLAIN response: expected 3 tokens, got 2'],
      ['one part', '', 'Invalid SASL/PLAIN response: expected 3 tokens, got 1'],
      ['five parts', `${alice}\0\0`, 'Invalid SASL/PLAIN response: expected 3 tokens, got 4'],
      ['no name', '\0\0secret', 'Authentication failed: username not specified'],
      ['no password', '\0alice\0', 'Authentication failed: password not specified'],
      [
        'for another',
        `bob${alice}`,
        'Authentication failed: Client requested an authorization id that is different from username',
      ],
    ] as const
  ).map(
    ([name, token, message]) =>
      [
        `PLAIN: ${name}`,
        () => [{ handshake: 'PLAIN' }, { token }] as Step[],
        [taken, failed(message), 'closed'],
      ] as const,
  ),
  [
    'handshake v0, SCRAM with a proof of another length',
    () => scram(people.alice, { proof: 'AAAA' }).map(raw),
    [taken, 'challenge', 'closed'],
  ],
  ['PLAIN: for oneself', () => [{ handshake: 'PLAIN' }, { token: `alice${alice}` }], plainTaken],
  // M-63
  [
    'SCRAM',
    () => [...scram(people.alice), metadata],
    [taken, 'SaslAuthenticate NONE |challenge', 'SaslAuthenticate NONE |signature for a while', 'Metadata NONE'],
  ],
  [
    'SCRAM: a wrong password',
    () => scram('guess'),
    [taken, 'SaslAuthenticate NONE |challenge', generic('SCRAM-SHA-256'), 'closed'],
  ],
  ['SCRAM: an unknown name', () => scram('guess', { name: 'mallory' }), [taken, generic('SCRAM-SHA-256'), 'closed']],
  [
    'SCRAM: with channel binding, if there were',
    () => scram(people.alice, { header: 'y,,' }),
    [taken, generic('SCRAM-SHA-256'), 'closed'],
  ],
  [
    'SCRAM: another channel',
    () => scram(people.alice, { channel: 'eSws' }),
    [taken, 'SaslAuthenticate NONE |challenge', 'SaslAuthenticate NONE |signature for a while'],
  ],
  [
    'SCRAM: the nonce of the client twice (librdkafka before 2.6.1)',
    () => scram(people.alice, { noncePrefix: 'clientnonce' }),
    [taken, 'SaslAuthenticate NONE |challenge', generic('SCRAM-SHA-256'), 'closed'],
  ],
  [
    'SCRAM: another nonce',
    () => scram(people.alice, { nonceSuffix: 'x' }),
    [taken, 'SaslAuthenticate NONE |challenge', generic('SCRAM-SHA-256'), 'closed'],
  ],
  [
    'SCRAM: a proof of another length',
    () => scram(people.alice, { proof: 'AAAA' }),
    [taken, 'SaslAuthenticate NONE |challenge', 'closed'],
  ],
  [
    'SCRAM: a proof that is none',
    () => scram(people.alice, { proof: '' }),
    [taken, 'SaslAuthenticate NONE |challenge', 'closed'],
  ],
  [
    'SCRAM: a token of nobody',
    () => scram(people.alice, { extensions: ',tokenauth=true' }),
    [taken, generic('SCRAM-SHA-256'), 'closed'],
  ],
  [
    'SCRAM: an extension that nobody knows',
    () => scram(people.alice, { extensions: ',x=1' }),
    [taken, 'SaslAuthenticate NONE |challenge', 'SaslAuthenticate NONE |signature for a while'],
  ],
  [
    'SCRAM: for oneself',
    () => scram(people.alice, { header: 'n,a=alice,' }),
    [taken, 'SaslAuthenticate NONE |challenge', 'SaslAuthenticate NONE |signature for a while'],
  ],
  [
    'SCRAM: for another',
    () => scram(people.alice, { header: 'n,a=bob,' }),
    [
      taken,
      failed('Authentication failed: Client requested an authorization id that is different from username'),
      'closed',
    ],
  ],
  [
    'SCRAM: a name of other letters',
    () => scram(people.alice, { name: Buffer.from('bjørn').toString('latin1') }),
    [taken, generic('SCRAM-SHA-256'), 'closed'],
  ],
  [
    'SCRAM: nothing',
    () => [{ handshake: 'SCRAM-SHA-256' }, { token: '' }],
    [taken, generic('SCRAM-SHA-256'), 'closed'],
  ],
  // KIP-255
  [
    'OAUTHBEARER',
    () => [...oauth(bearer(unsigned({ sub: 'alice', exp: seconds() + 60 }))), metadata],
    [...plainTaken, 'Metadata NONE'],
  ],
  [
    'OAUTHBEARER: issued, with extensions',
    () =>
      oauth(bearer(unsigned({ sub: 'alice', exp: seconds() + 60, iat: seconds() - 1 }), 'n,a=alice,', 'who=me\x01')),
    plainTaken,
  ],
  [
    'OAUTHBEARER: expired, and confirmed',
    () => [...oauth(bearer(unsigned({ sub: 'alice', exp: seconds() - 60 }))), { token: '\x01' }],
    [taken, refusedToken, failed('{"status":"invalid_token"}'), 'closed'],
  ],
  [
    'OAUTHBEARER: refused, and then a good one',
    () => [...oauth(bearer('x.y.z')), { token: bearer(unsigned({ sub: 'alice', exp: seconds() + 60 })) }],
    [taken, refusedToken, 'SaslAuthenticate NONE | for a while'],
  ],
  [
    'OAUTHBEARER: of the future',
    () => oauth(bearer(unsigned({ sub: 'alice', exp: seconds() + 600, iat: seconds() + 300 }))),
    [taken, refusedToken],
  ],
  ['OAUTHBEARER: no end', () => oauth(bearer(unsigned({ sub: 'alice' }))), [taken, refusedToken]],
  ['OAUTHBEARER: no name', () => oauth(bearer(unsigned({ exp: seconds() + 60 }))), [taken, refusedToken]],
  [
    'OAUTHBEARER: signed',
    () => oauth(bearer(unsigned({ sub: 'alice', exp: seconds() + 60 }, { alg: 'HS256' }, 'AAAA'))),
    [taken, refusedToken],
  ],
  [
    'OAUTHBEARER: for another',
    () => oauth(bearer(unsigned({ sub: 'alice', exp: seconds() + 60 }), 'n,a=bob,')),
    [
      taken,
      failed(
        "Authentication failed: Client requested an authorization id (bob) that is different from the token's principal name (alice)",
      ),
      'closed',
    ],
  ],
  ['OAUTHBEARER: another scheme', () => oauth('n,,\x01auth=Basic abc\x01\x01'), [taken, 'closed']],
  ['OAUTHBEARER: an opaque token', () => oauth(bearer('a-b_c.d~e+f/g==')), [taken, refusedToken]],
  ['OAUTHBEARER: no token', () => oauth('n,,\x01auth=Bearer \x01\x01'), [taken, generic('OAUTHBEARER'), 'closed']],
  ['OAUTHBEARER: in small letters', () => oauth(bearer('x.y.z').replace('Bearer', 'bearer')), [taken, refusedToken]],
  ['OAUTHBEARER: no auth', () => oauth('n,,\x01who=me\x01\x01'), [taken, generic('OAUTHBEARER'), 'closed']],
  ['OAUTHBEARER: nothing', () => oauth(''), [taken, generic('OAUTHBEARER'), 'closed']],
  ['OAUTHBEARER: a confirmation of nothing', () => oauth('\x01'), [taken, generic('OAUTHBEARER'), 'closed']],
  // M-64
  [
    'again, and once more too soon',
    () => [...plain, ...plain, { handshake: 'PLAIN' }, metadata],
    [...plainTaken, ...plainTaken, 'SaslHandshake ILLEGAL_SASL_STATE []', 'Metadata NONE'],
  ],
  [
    'again as another',
    () => [...plain, { handshake: 'PLAIN' }, { token: '\0bob\0hunter2' }],
    [
      ...plainTaken,
      taken,
      failed('Cannot change principals during re-authentication from User.alice: User.bob'),
      'closed',
    ],
  ],
  [
    'again with a wrong password',
    () => [...scram(people.alice), ...scram('guess')],
    [
      taken,
      'SaslAuthenticate NONE |challenge',
      'SaslAuthenticate NONE |signature for a while',
      taken,
      'SaslAuthenticate NONE |challenge',
      generic('SCRAM-SHA-256', 're-'),
      'closed',
    ],
  ],
  ['again by another mechanism', () => [...plain, ...scram(people.alice)], [...plainTaken, taken, 'closed']],
  [
    'again, and a request in between',
    () => [...plain, { handshake: 'PLAIN' }, metadata],
    [...plainTaken, taken, 'Metadata ILLEGAL_SASL_STATE', 'closed'],
  ],
  [
    'a token without a handshake',
    () => [...plain, { token: alice }, metadata],
    [
      ...plainTaken,
      'SaslAuthenticate ILLEGAL_SASL_STATE SaslAuthenticate request received after successful authentication|',
      'Metadata NONE',
    ],
  ],
  ['a session that is over', () => [...plain, { sleep: MAX_REAUTH_MS + 300 }, metadata], [...plainTaken, 'closed']],
  [
    'a session that is over is renewed',
    () => [...plain, { sleep: MAX_REAUTH_MS + 300 }, ...plain, metadata],
    [...plainTaken, ...plainTaken, 'Metadata NONE'],
  ],
  [
    'the session of a client that is not told (SaslAuthenticate v0) is over, too',
    () => [{ handshake: 'PLAIN' }, { token: alice, version: 0 }, { sleep: MAX_REAUTH_MS + 300 }, metadata],
    [taken, 'SaslAuthenticate NONE |', 'closed'],
  ],
]
