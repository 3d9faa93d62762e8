import { apis } from '../../../src/apis/registry.ts'
import type { AnyApi } from '../../../src/wire/api.ts'
import { CONTROLLER } from '../../scenarios/world.ts'
import type { Chapter, Play } from '../play.ts'

const int16 = (value: number) => Buffer.from([(value >> 8) & 0xff, value & 0xff])

/** Header (v2 with an empty tag section where the API has become flexible) and body, as they would come from a client. */
function framed(key: number, version: number, body: readonly number[] = [], flexible = false): Buffer {
  const header = [int16(key), int16(version), Buffer.from([0, 0, 0, 7]), int16(2), Buffer.from('me')]
  return Buffer.concat([...header, Buffer.from(flexible ? [0] : []), Buffer.from(body)])
}

const isFlexible = (api: AnyApi, version: number) => version >= api.flexibleFrom
const ZEROS = new Array<number>(64).fill(0)

async function versions(play: Play): Promise<void> {
  for (const api of apis) {
    // ApiVersions is answered in whatever version; what comes before the first version of Produce is in the next chapter.
    if (api.key === 18) continue
    const sides = [...(api.broker ? [1] : []), ...(api.controller ? [CONTROLLER] : [])]
    for (const to of sides) {
      const by = to === CONTROLLER ? ' at the controller' : ''
      for (const version of [api.versions.min - 1, api.versions.max + 1, 99, -1]) {
        if (version === 0 && api.key === 0) continue
        const title = `${api.name} in version ${version}${by}`
        const bytes = framed(api.key, version, ZEROS, isFlexible(api, version))
        await play.frame(title, bytes, { to }).catch(error => {
          if (!/there are two steps/.test(String(error))) throw error
        })
      }
    }
    if (!api.broker)
      await play.frame(
        `${api.name}, which only controllers take`,
        framed(api.key, api.versions.max, ZEROS, isFlexible(api, api.versions.max)),
      )
  }
}

async function keys(play: Play): Promise<void> {
  for (const key of [-1, 4, 5, 6, 7, 93, 999, 32_767]) {
    await play.frame(`of API ${key}`, framed(key, 0, ZEROS))
    await play.frame(`of API ${key}, at the controller`, framed(key, 0, ZEROS), { to: CONTROLLER })
  }
  for (const version of [5, 99, -1]) {
    const title = `ApiVersions in version ${version}`
    await play.frame(title, framed(18, version, ZEROS, true), { blur: true })
    await play.frame(`${title}, with the header of before`, framed(18, version), { blur: true })
  }
}

async function bodies(play: Play): Promise<void> {
  const metadata = (body: readonly number[], flexible = true) => framed(3, flexible ? 12 : 1, body, flexible)
  const frames: Readonly<Record<string, Uint8Array>> = {
    nothing: Buffer.alloc(0),
    'one byte': Buffer.from([0]),
    'a header cut short': framed(3, 1).subarray(0, 6),
    'a client id that is longer than the frame': Buffer.concat([int16(3), int16(1), Buffer.alloc(4), int16(500)]),
    'a null client id': Buffer.concat([
      int16(3),
      int16(1),
      Buffer.from([0, 0, 0, 7]),
      int16(-1),
      Buffer.from([0, 0, 0, 0]),
    ]),
    'a client id of negative length': Buffer.concat([
      int16(3),
      int16(1),
      Buffer.from([0, 0, 0, 7]),
      int16(-7),
      Buffer.from([0, 0, 0, 0]),
    ]),
    'a body that is missing': metadata([], false),
    'a body cut short': metadata([0, 0], false),
    'a list that is longer than the frame': metadata([0, 0, 4, 0], false),
    'a list of a negative length': metadata([0xff, 0xff, 0xff, 0xf0], false),
    'a string that is longer than the frame': metadata([0, 0, 0, 1, 0, 9, 65], false),
    'a null where none may be': metadata([0, 0, 0, 1, 0xff, 0xff], false),
    'a string that is no UTF-8': metadata([0, 0, 0, 1, 0, 2, 0xc3, 0x28], false),
    'a compact list that is longer than the frame': metadata([0x7f, 0, 0, 0]),
    'a length that never ends': metadata([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
    'tags that are missing': metadata([1, 0, 0]),
    'a tag that is longer than the frame': metadata([1, 0, 0, 1, 9, 200]),
    'tags of the header that are longer than the frame': framed(3, 12, [5], false),
    'a body of zeros to Produce': framed(0, 9, ZEROS, true),
    'a body of ones to Produce': framed(
      0,
      9,
      ZEROS.map(() => 0xff),
      true,
    ),
    'a body of ones to Fetch': framed(
      1,
      12,
      ZEROS.map(() => 0xff),
      true,
    ),
    'a body of ones to CreateTopics': framed(
      19,
      5,
      ZEROS.map(() => 0xff),
      true,
    ),
    'a body of ones to JoinGroup': framed(
      11,
      9,
      ZEROS.map(() => 0xff),
      true,
    ),
    'a body of ones to OffsetCommit': framed(
      8,
      9,
      ZEROS.map(() => 0xff),
      true,
    ),
  }
  for (const [title, bytes] of Object.entries(frames)) {
    await play.frame(title, bytes, { blur: true })
    if (!title.includes(' to ')) await play.frame(`${title}, at the controller`, bytes, { to: CONTROLLER, blur: true })
  }
}

export const frameChapters: readonly Chapter[] = [
  { title: 'versions that nobody has', play: versions },
  { title: 'APIs that nobody has', play: keys },
  { title: 'frames that cannot be read', play: bodies },
]
