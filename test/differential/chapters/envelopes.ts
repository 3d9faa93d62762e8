import { endTxn } from '../../../src/apis/end-txn.ts'
import { envelope } from '../../../src/apis/envelope.ts'
import { listPartitionReassignments } from '../../../src/apis/list-partition-reassignments.ts'
import { encodePrincipal } from '../../../src/apis/principal-data.ts'
import type { AnyApi, RequestInput } from '../../../src/wire/api.ts'
import { joined } from '../../../src/wire/frame.ts'
import { encodeRequest } from '../../../src/wire/header.ts'
import { CONTROLLER } from '../../scenarios/world.ts'
import type { Chapter, Play } from '../play.ts'

const around = <A extends AnyApi>(api: A, version: number, body: RequestInput<A>) =>
  Uint8Array.from(joined(encodeRequest(api, version, 7, 'letter', body).slices))
const inside = () => around(listPartitionReassignments, 0, { timeoutMs: 1000, topics: null })
const letter = {
  requestData: inside(),
  requestPrincipal: encodePrincipal({ type: 'User', name: 'alice', tokenAuthenticated: false }),
  clientHostAddress: Uint8Array.of(127, 0, 0, 1),
}

async function envelopes(play: Play): Promise<void> {
  const send = (title: string, change: Partial<RequestInput<typeof envelope>> = {}) =>
    play.ask(title, envelope, 0, { ...letter, ...change }, { to: CONTROLLER })
  await send('around a request')
  await send('without a principal', { requestPrincipal: null })
  await send('with a principal of another version', { requestPrincipal: Uint8Array.of(0, 9, 1) })
  await send('with a principal that ends early', { requestPrincipal: letter.requestPrincipal.subarray(0, 5) })
  await send('with an address of three bytes', { clientHostAddress: Uint8Array.of(1, 2, 3) })
  await send('around nothing', { requestData: new Uint8Array(0) })
  await send('around half a request', { requestData: inside().subarray(0, 9) })
  await send('around an API that nobody has', { requestData: Uint8Array.of(3, 99, 0, 0, 0, 0, 0, 0, 255, 255) })
  const newer = inside()
  newer[3] = 9
  await send('around a version that nobody has', { requestData: newer })
  await send('around what is not forwarded', {
    requestData: around(endTxn, 3, { transactionalId: 't', producerId: 1, producerEpoch: 0, committed: true }),
  })
  await send('around an envelope', { requestData: around(envelope, 0, letter) })
}

export const envelopeChapters: readonly Chapter[] = [{ title: 'requests in envelopes', play: envelopes }]
