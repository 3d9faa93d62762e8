import { Admin, type DelegationToken, KafkaError } from '../../src/index.ts'

/** Where a cluster of one broker can be reached, with the users below and a secret key for tokens; admin is a super user. */
export interface TokenWorld {
  readonly plaintext: string
  readonly sasl: string
}

export const tokenUsers = { alice: 'a', bob: 'b', carol: 'c', dave: 'd', admin: 'x' } as const
type User = keyof typeof tokenUsers

const loginModules = 'org.apache.kafka.common.security'
const noToken = new Uint8Array(64)

/** What was tried, and what came of it: the same on every cluster. */
export type Transcript = [tried: string, outcome: unknown][]

/** The life of some delegation tokens (KIP-48, KIP-373), told by what everybody is answered. */
export async function delegationTokenStory(world: TokenWorld): Promise<Transcript> {
  const story = new Story(world)
  try {
    const told: Transcript = []
    const tell = async (tried: string, run: () => Promise<unknown>) => void told.push([tried, await outcomeOf(run)])
    await whoMayAsk(story, tell)
    const forAlice = await story.as('alice').createDelegationToken({ renewers: ['User:bob'] })
    const forDave = await story.as('admin').createDelegationToken({ owner: 'User:dave', maxLifetimeMs: 60_000 })
    // A real broker's metadata shows what was made some milliseconds later.
    await story.pause(500)
    await whoSeesWhat(story, tell)
    await whoChangesWhat(story, tell, forAlice, forDave)
    await whoComesIn(story, tell, forDave)
    return told
  } finally {
    await story.close()
  }
}

type Tell = (tried: string, run: () => Promise<unknown>) => Promise<void>

async function whoMayAsk(story: Story, tell: Tell): Promise<void> {
  await tell('nobody asks for a token', () => story.nobody().createDelegationToken())
  await tell('nobody asks for theirs', () => story.nobody().describeDelegationToken())
  await tell('nobody renews', () => story.nobody().renewDelegationToken(noToken))
  await tell('nobody expires', () => story.nobody().expireDelegationToken(noToken))
  await tell('a group renews', () => story.as('alice').createDelegationToken({ renewers: ['Group:all'] }))
  await tell('alice asks for dave', () => story.as('alice').createDelegationToken({ owner: 'User:dave' }))
  await tell('alice asks for herself', async () =>
    shapeOf(await story.as('alice').createDelegationToken({ owner: 'User:alice' })),
  )
  await tell('carol asks for a minute', async () =>
    shapeOf(await story.as('carol').createDelegationToken({ maxLifetimeMs: 60_000 })),
  )
  await tell('carol asks for a year', async () =>
    shapeOf(await story.as('carol').createDelegationToken({ maxLifetimeMs: 31_536_000_000 })),
  )
}

async function whoSeesWhat(story: Story, tell: Tell): Promise<void> {
  const seen = async (user: User, owners?: `User:${string}`[]) => {
    const tokens = await story.as(user).describeDelegationToken(owners === undefined ? {} : { owners })
    const lines = tokens.map(({ owner, requester, renewers }) => `${owner} by ${requester} for ${renewers.join()}`)
    return lines.sort()
  }
  for (const user of ['alice', 'bob', 'carol', 'dave', 'admin'] as const) {
    await tell(`${user} looks`, () => seen(user))
  }
  await tell('admin looks for nobody', () => seen('admin', []))
  await tell('admin looks for bob', () => seen('admin', ['User:bob']))
  await tell('admin looks for admin', () => seen('admin', ['User:admin']))
  await tell('alice looks for dave', () => seen('alice', ['User:dave']))
  await tell('bob looks for alice', () => seen('bob', ['User:alice']))
}

async function whoChangesWhat(story: Story, tell: Tell, forAlice: DelegationToken, forDave: DelegationToken) {
  await tell('a secret that is none is renewed', () => story.as('alice').renewDelegationToken(noToken))
  await tell('a secret that is none is expired', () => story.as('alice').expireDelegationToken(noToken))
  await tell('carol renews the token of alice', () => story.as('carol').renewDelegationToken(forAlice.hmac))
  await tell('carol expires the token of alice', () => story.as('carol').expireDelegationToken(forAlice.hmac))
  await tell('bob, its renewer, renews it', async () =>
    isAhead(await story.as('bob').renewDelegationToken(forAlice.hmac, { renewTimePeriodMs: 3_600_000 }), 3_600_000),
  )
  await tell('dave renews his for longer than it lives', async () => {
    return (
      (await story.as('dave').renewDelegationToken(forDave.hmac, { renewTimePeriodMs: 3_600_000 })) ===
      forDave.maxTimestamp
    )
  })
  await tell('who asked for it renews it', async () => {
    return (await story.as('admin').renewDelegationToken(forDave.hmac)) === forDave.maxTimestamp
  })
  await tell('bob expires it in an instant', async () =>
    isAhead(await story.as('bob').expireDelegationToken(forAlice.hmac, { expiryTimePeriodMs: 1 }), 1),
  )
  // A real controller hears of its own decision a little later.
  await story.pause(500)
  await tell('an expired one is renewed', () => story.as('bob').renewDelegationToken(forAlice.hmac))
  await tell('an expired one is expired later', () =>
    story.as('bob').expireDelegationToken(forAlice.hmac, { expiryTimePeriodMs: 1000 }),
  )
  await tell('an expired one is expired now', async () =>
    isAhead(await story.as('bob').expireDelegationToken(forAlice.hmac), 0),
  )
  await tell('and is gone', () => story.as('bob').renewDelegationToken(forAlice.hmac))
}

async function whoComesIn(story: Story, tell: Tell, forDave: DelegationToken): Promise<void> {
  const { tokenId } = forDave
  const password = Buffer.from(forDave.hmac).toString('base64')
  const byToken = story.byScram(tokenId, password, true)
  await tell('dave comes in by his token', async () => (await byToken.describeCluster()).nodes.length)
  await tell('and asks for another', () => byToken.createDelegationToken())
  await tell('and looks', () => byToken.describeDelegationToken())
  await tell('and renews', () => byToken.renewDelegationToken(forDave.hmac))
  await tell('a wrong secret', () => story.byScram(tokenId, 'wrong', true).describeCluster())
  await tell('a token as a user', () => story.byScram(tokenId, password, false).describeCluster())
  await tell('a token that is none', () => story.byScram('nothing', password, true).describeCluster())
  await story.as('dave').expireDelegationToken(forDave.hmac)
  await story.pause(500)
  await tell('a token that is gone', () => story.byScram(tokenId, password, true, 'again').describeCluster())
}

class Story {
  readonly #world: TokenWorld
  readonly #admins = new Map<string, Admin>()

  constructor(world: TokenWorld) {
    this.#world = world
  }

  nobody(): Admin {
    return this.#admin('nobody', { 'bootstrap.servers': this.#world.plaintext })
  }

  as(user: User): Admin {
    const password = tokenUsers[user]
    const jaas = `${loginModules}.plain.PlainLoginModule required username="${user}" password="${password}";`
    return this.#admin(user, this.#login('PLAIN', jaas))
  }

  byScram(username: string, password: string, tokenauth: boolean, attempt = ''): Admin {
    const jaas = `${loginModules}.scram.ScramLoginModule required username="${username}" password="${password}" tokenauth="${tokenauth}";`
    return this.#admin(jaas + attempt, this.#login('SCRAM-SHA-256', jaas))
  }

  pause(ms: number): Promise<void> {
    return new Promise(done => setTimeout(done, ms))
  }

  async close(): Promise<void> {
    for (const admin of this.#admins.values()) await admin.close()
  }

  #login(mechanism: string, jaas: string) {
    return {
      'bootstrap.servers': this.#world.sasl,
      'security.protocol': 'SASL_PLAINTEXT',
      'sasl.mechanism': mechanism,
      'sasl.jaas.config': jaas,
    }
  }

  #admin(key: string, config: Record<string, string>): Admin {
    const known = this.#admins.get(key)
    if (known !== undefined) return known
    const admin = new Admin(config as ConstructorParameters<typeof Admin>[0])
    this.#admins.set(key, admin)
    return admin
  }
}

async function outcomeOf(run: () => Promise<unknown>): Promise<unknown> {
  try {
    return (await run()) ?? null
  } catch (error) {
    if (error instanceof KafkaError) return error.errorName
    throw error
  }
}

function shapeOf({
  owner,
  requester,
  renewers,
  issueTimestamp,
  expiryTimestamp,
  maxTimestamp,
  hmac,
  tokenId,
}: DelegationToken) {
  return {
    owner,
    requester,
    renewers,
    expiresAfter: expiryTimestamp - issueTimestamp,
    livesFor: maxTimestamp - issueTimestamp,
    hmacBytes: hmac.length,
    isUuid: /^[\w-]{22}$/.test(tokenId),
  }
}

/** Whether a time is so far from now, give or take what the network needs. */
function isAhead(time: number, ms: number): boolean {
  return Math.abs(time - Date.now() - ms) < 10_000
}
