import { alterUserScramCredentials as alterUserScramCredentialsApi } from '../../apis/alter-user-scram-credentials.ts'
import { describeUserScramCredentials as describeUserScramCredentialsApi } from '../../apis/describe-user-scram-credentials.ts'
import { type ScramMechanism, scramMechanisms } from '../../metadata/scram-credentials.ts'
import { MIN_ITERATIONS, saltedPassword, scramLetters, scramMechanismOf } from '../../metadata/scram-keys.ts'
import { IllegalArgumentError } from '../../wire/errors.ts'
import { refuseUnknown, requireArray } from '../arguments.ts'
import { type AdminClient, type Answers, allOf, errorOfItem } from './admin-client.ts'
import { notController } from './topics.ts'

export interface ScramCredentialInfo {
  readonly mechanism: ScramMechanism
  readonly iterations: number
}

/** Gives a user a credential. The password does not leave this process: it travels salted and hashed. */
export interface ScramCredentialUpsertion {
  readonly user: string
  readonly mechanism: ScramMechanism
  readonly password: string | Uint8Array
  /** 4096 unless said, 16384 at most. */
  readonly iterations?: number
  /** 26 letters by chance unless given. */
  readonly salt?: Uint8Array
}

/** Takes it away. */
export interface ScramCredentialDeletion {
  readonly user: string
  readonly mechanism: ScramMechanism
  readonly deletion: true
}

export type ScramCredentialAlteration = ScramCredentialUpsertion | ScramCredentialDeletion

/** By user. */
export async function describeUserScramCredentials(
  client: AdminClient,
  users: readonly string[],
): Promise<Map<string, ScramCredentialInfo[]>> {
  requireArray('describeUserScramCredentials', users, "['alice']")
  const body = { users: users.length === 0 ? null : users.map(name => ({ name })) }
  const response = await client.ask(describeUserScramCredentialsApi, body, first => first.errorCode)
  const answers: Answers<string, ScramCredentialInfo[]> = new Map()
  for (const { user, errorCode, errorMessage, credentialInfos } of response.results) {
    const infos = credentialInfos.flatMap(({ mechanism, iterations }) => {
      const name = scramMechanismOf(mechanism)
      return name === undefined ? [] : [{ mechanism: name, iterations }]
    })
    answers.set(user, errorOfItem(errorCode, errorMessage) ?? infos)
  }
  return allOf(answers, user => `user '${user}'`)
}

export async function alterUserScramCredentials(
  client: AdminClient,
  alterations: readonly ScramCredentialAlteration[],
): Promise<void> {
  const example = "{ user: 'alice', mechanism: 'SCRAM-SHA-256', password: 'secret' }"
  requireArray('alterUserScramCredentials', alterations, `[${example}]`)
  const deletions: { name: string; mechanism: number }[] = []
  const upsertions: ReturnType<typeof upsertionOf>[] = []
  for (const alteration of alterations) {
    const fields = [
      'user',
      'mechanism',
      ...('deletion' in alteration ? ['deletion'] : ['password', 'iterations', 'salt']),
    ]
    refuseUnknown(`an alteration, as in ${example}`, alteration, fields)
    const { user: name, mechanism } = alteration
    if (!Object.hasOwn(scramMechanisms, mechanism)) {
      const known = Object.keys(scramMechanisms).join(', ')
      throw new IllegalArgumentError(`a mechanism is one of ${known}, not ${mechanism}`)
    }
    if ('deletion' in alteration) deletions.push({ name, mechanism: scramMechanisms[mechanism] })
    else upsertions.push(upsertionOf(client, alteration))
  }
  const response = await client.ask(alterUserScramCredentialsApi, { deletions, upsertions }, first =>
    notController(first.results),
  )
  const answers: Answers<string, undefined> = new Map()
  for (const { user, errorCode, errorMessage } of response.results) {
    answers.set(user, errorOfItem(errorCode, errorMessage))
  }
  allOf(answers, user => `user '${user}'`)
}

function upsertionOf(client: AdminClient, alteration: ScramCredentialUpsertion) {
  const { user: name, mechanism, password, iterations = MIN_ITERATIONS } = alteration
  if (password === undefined || password.length === 0) throw new IllegalArgumentError(`user '${name}' needs a password`)
  const salt = alteration.salt ?? Buffer.from(scramLetters(n => client.runtime.choose('salt of a credential', n)))
  const salted = saltedPassword(mechanism, password, salt, Math.max(1, iterations))
  return { name, mechanism: scramMechanisms[mechanism], iterations, salt, saltedPassword: salted }
}
