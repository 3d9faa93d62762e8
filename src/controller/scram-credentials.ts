import type { alterUserScramCredentials } from '../apis/alter-user-scram-credentials.ts'
import type { MetadataRecordInput } from '../metadata/records.ts'
import { MAX_ITERATIONS, MIN_ITERATIONS, scramKeys, scramMechanismOf } from '../metadata/scram-keys.ts'
import type { RequestOf, ResponseInput } from '../wire/api.ts'
import { KafkaError } from '../wire/errors.ts'
import type { Decision, Situation } from './decision.ts'
import { attempt, errorFields } from './refusal.ts'

type Request = RequestOf<typeof alterUserScramCredentials>
type Response = ResponseInput<typeof alterUserScramCredentials>
type Upsertion = Request['upsertions'][number]
type Deletion = Request['deletions'][number]

/**
 * Gives users SCRAM credentials and takes them away (KIP-554, M-63). The password comes salted; what is kept are the keys
 * that follow from it. One answer for each user: one of whom two things are asked gets neither.
 */
export function decideScramCredentials(request: Request, situation: Situation): Decision<Response> {
  const errors = new Map<string, KafkaError>()
  const wanted = new Map<string, () => MetadataRecordInput>()
  const want = (name: string, check: () => void, record: () => MetadataRecordInput) => {
    const isRepeated = wanted.has(name)
    const error = attempt(() => {
      if (isRepeated) {
        const rule = 'A user credential cannot be altered twice in the same request'
        throw new KafkaError('DUPLICATE_RESOURCE', rule)
      }
      check()
    })
    if (error === undefined) wanted.set(name, record)
    else errors.set(name, error)
  }
  for (const deletion of request.deletions) {
    const record = (): MetadataRecordInput => ({ type: 'RemoveUserScramCredentialRecord', ...deletion })
    want(deletion.name, () => checkDeletion(deletion, situation), record)
  }
  for (const upsertion of request.upsertions) {
    want(
      upsertion.name,
      () => checkUpsertion(upsertion),
      () => credentialOf(upsertion),
    )
  }
  const users = new Set([...wanted.keys(), ...errors.keys()])
  const records = [...wanted].filter(([name]) => !errors.has(name)).map(([, record]) => record())
  const results = [...users].map(user => ({ user, ...errorFields(errors.get(user)) }))
  return { records, response: { throttleTimeMs: 0, results } }
}

function checkUser(name: string, mechanism: number): void {
  if (name === '') throw new KafkaError('UNACCEPTABLE_CREDENTIAL', 'Username must not be empty')
  if (scramMechanismOf(mechanism) === undefined)
    throw new KafkaError('UNSUPPORTED_SASL_MECHANISM', 'Unknown SCRAM mechanism')
}

function checkDeletion({ name, mechanism }: Deletion, { image }: Situation): void {
  checkUser(name, mechanism)
  if (!image.scramCredentials.of(name).has(mechanism)) {
    throw new KafkaError('RESOURCE_NOT_FOUND', 'Attempt to delete a user credential that does not exist')
  }
}

function checkUpsertion({ name, mechanism, iterations, saltedPassword }: Upsertion): void {
  checkUser(name, mechanism)
  if (iterations < MIN_ITERATIONS) throw new KafkaError('UNACCEPTABLE_CREDENTIAL', 'Too few iterations')
  if (iterations > MAX_ITERATIONS) throw new KafkaError('UNACCEPTABLE_CREDENTIAL', 'Too many iterations')
  if (saltedPassword.length === 0) throw new KafkaError('UNACCEPTABLE_CREDENTIAL', 'The salted password is empty')
}

function credentialOf({ name, mechanism, iterations, salt, saltedPassword }: Upsertion): MetadataRecordInput {
  const keys = scramKeys(scramMechanismOf(mechanism)!, saltedPassword)
  return { type: 'UserScramCredentialRecord', name, mechanism, salt, iterations, ...keys }
}
