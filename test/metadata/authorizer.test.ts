import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type Acl,
  type AclFilter,
  type AclOperation,
  type AclResourceType,
  Acls,
  aclOperations,
  aclPatternTypes,
  aclPermissions,
  aclResourceTypes,
  isMeantByFilter,
} from '../../src/metadata/acls.ts'
import { Authorizer, authorizerOf } from '../../src/metadata/authorizer.ts'

type Decide = (acls: readonly Acl[]) => { allows: Ask; allowsSome: AskSome }
type Ask = (user: string, host: string, operation: AclOperation, type: AclResourceType, name: string) => boolean
type AskSome = (user: string, host: string, operation: AclOperation, type: AclResourceType) => boolean

const { topic, group } = aclResourceTypes
const { literal, prefixed } = aclPatternTypes
const { allow, deny } = aclPermissions

const operations = [
  'read',
  'write',
  'create',
  'delete',
  'alter',
  'describe',
  'describeConfigs',
  'alterConfigs',
] as const
const names = ['a', 'ab', 'abc', 'b', '*'] as const
const users = ['ann', 'bob'] as const
const hosts = ['10.0.0.1', '10.0.0.2'] as const

/** From a small world, so that ACLs meet each other and the questions. */
const acl: fc.Arbitrary<Acl> = fc.record({
  resourceType: fc.constantFrom(topic, group),
  resourceName: fc.constantFrom(...names),
  patternType: fc.constantFrom(literal, prefixed),
  principal: fc.constantFrom('User:ann', 'User:bob', 'User:*', 'Group:ann'),
  host: fc.constantFrom('*', ...hosts),
  operation: fc.constantFrom(aclOperations.all, ...operations.map(name => aclOperations[name])),
  permissionType: fc.constantFrom(allow, deny),
})
const list = fc.array(acl, { maxLength: 8 })
const question = fc.tuple(
  fc.constantFrom(...users),
  fc.constantFrom(...hosts),
  fc.constantFrom(...operations),
  fc.constantFrom<AclResourceType>('topic', 'group'),
  fc.constantFrom(...names),
)

function keep(all: readonly Acl[]): Acls {
  const acls = new Acls()
  for (const [index, each] of all.entries()) {
    acls.set({ type: 'AccessControlEntryRecord', id: `${index}`, ...each } as never)
  }
  return acls
}

const withMutants =
  (mutants: readonly string[] = [], allowEveryoneIfNoAclFound = false): Decide =>
  all => {
    const settings = { superUsers: new Set(['User:root']), allowEveryoneIfNoAclFound, mutants: new Set(mutants) }
    const authorizer = new Authorizer(keep(all), settings)
    const subject = (name: string, host: string) => ({ principal: { type: 'User', name }, host })
    return {
      allows: (user, host, ...asked) => authorizer.allows(subject(user, host), ...asked),
      allowsSome: (user, host, ...asked) => authorizer.allowsSome(subject(user, host), ...asked),
    }
  }
const decide = withMutants()

const implied: Readonly<Record<string, readonly string[]>> = {
  describe: ['read', 'write', 'delete', 'alter'],
  describeConfigs: ['alterConfigs'],
}
const nameOf = (code: number) => Object.entries(aclOperations).find(([, each]) => each === code)![0]

/** M-70 and M-71, word by word, with no index and no order. */
function reference(all: readonly Acl[], ...[user, host, operation, type, name]: Parameters<Ask>): boolean {
  const about = all.filter(
    each =>
      each.resourceType === aclResourceTypes[type] &&
      (each.patternType === prefixed
        ? name.startsWith(each.resourceName)
        : each.resourceName === name || each.resourceName === '*'),
  )
  const mine = about.filter(
    each => [`User:${user}`, 'User:*'].includes(each.principal) && ['*', host].includes(each.host),
  )
  const says = (each: Acl) => {
    const said = nameOf(each.operation)
    if (said === 'all' || said === operation) return true
    return each.permissionType === allow && (implied[operation] ?? []).includes(said)
  }
  if (mine.some(each => each.permissionType === deny && says(each))) return false
  return mine.some(each => each.permissionType === allow && says(each))
}

/** Whether the law holds; fast-check says which ACLs and which question it is broken by. */
const laws: Readonly<Record<string, (made: Decide) => void>> = {
  'it decides as the rules say, word by word': made =>
    fc.assert(
      fc.property(list, question, (all, asked) => made(all).allows(...asked) === reference(all, ...asked)),
      { numRuns: 2000 },
    ),
  'one more ALLOW takes nothing away': made =>
    fc.assert(
      fc.property(list, acl, question, (all, one, asked) => {
        fc.pre(made(all).allows(...asked))
        return made([...all, { ...one, permissionType: allow }]).allows(...asked)
      }),
      { numRuns: 1000 },
    ),
  'one more DENY gives nothing': made =>
    fc.assert(
      fc.property(list, acl, question, (all, one, asked) => {
        fc.pre(!made(all).allows(...asked))
        return !made([...all, { ...one, permissionType: deny }]).allows(...asked)
      }),
      { numRuns: 1000 },
    ),
  'a DENY that is meant dominates, whatever is allowed beside it, and in whatever order': made =>
    fc.assert(
      fc.property(list, question, fc.nat(), (all, asked, at) => {
        const [user, host, operation, type, name] = asked
        const denial: Acl = {
          resourceType: aclResourceTypes[type],
          resourceName: name,
          patternType: literal,
          principal: `User:${user}`,
          host,
          operation: aclOperations[operation],
          permissionType: deny,
        }
        const index = at % (all.length + 1)
        return !made([...all.slice(0, index), denial, ...all.slice(index)]).allows(...asked)
      }),
      { numRuns: 1000 },
    ),
  'a DENY of what implies DESCRIBE denies no DESCRIBE': made =>
    fc.assert(
      fc.property(fc.constantFrom('read', 'write', 'delete', 'alter'), fc.constantFrom(...names), (operation, name) => {
        const about = {
          resourceType: topic,
          resourceName: name,
          patternType: literal,
          principal: 'User:ann',
          host: '*',
        }
        return made([
          { ...about, operation: aclOperations[operation as AclOperation], permissionType: deny },
          { ...about, operation: aclOperations.describe, permissionType: allow },
        ]).allows('ann', '10.0.0.1', 'describe', 'topic', name)
      }),
    ),
  'the order of ACLs does not matter': made =>
    fc.assert(
      fc.property(list, question, (all, asked) => {
        return made(all).allows(...asked) === made([...all].reverse()).allows(...asked)
      }),
      { numRuns: 1000 },
    ),
  'a super user may do everything': made =>
    fc.assert(
      fc.property(list, question, (all, [, ...asked]) => {
        const { allows, allowsSome } = made(all)
        const [host, operation, type] = asked
        return allows('root', ...asked) && allowsSome('root', host, operation, type)
      }),
    ),
  'who may do something with a resource, by what was said of it, may do it with some': made =>
    fc.assert(
      fc.property(list, question, (all, [user, host, operation, type, name]) => {
        // What is implied does not count there, so the question is for an operation that nothing implies.
        fc.pre(operation !== 'describe' && operation !== 'describeConfigs')
        const { allows, allowsSome } = made(all)
        return !allows(user, host, operation, type, name) || allowsSome(user, host, operation, type)
      }),
      { numRuns: 2000 },
    ),
}

describe('laws of the authorizer (M-70, M-71)', () => {
  for (const [law, check] of Object.entries(laws)) test(law, () => check(decide))
})

test.each([
  ['deny before allow', 'a DENY that is meant dominates, whatever is allowed beside it, and in whatever order'],
  ['deny before allow', 'it decides as the rules say, word by word'],
  ['deny implies nothing', 'a DENY of what implies DESCRIBE denies no DESCRIBE'],
])('without the rule "%s" a law is broken: %s', (mutant, law) => {
  expect(() => laws[law]!(withMutants([mutant]))).toThrow('Property failed')
})

test('a resource that no ACL is about is everybody’s with allow.everyone.if.no.acl.found, and nobody’s without (M-70)', () => {
  const open = (all: readonly Acl[], mutants: readonly string[] = []) => withMutants(mutants, true)(all)
  const read = ['ann', '10.0.0.1', 'read', 'topic', 'abc'] as const
  expect(open([]).allows(...read)).toBe(true)
  expect(withMutants()([]).allows(...read)).toBe(false)
  // One about somebody else is one: also by its prefix, also for all names.
  const other = { resourceType: topic, principal: 'User:bob', host: '*', operation: aclOperations.write }
  for (const [resourceName, patternType] of [
    ['abc', literal],
    ['ab', prefixed],
    ['*', literal],
  ] as const) {
    expect(open([{ ...other, resourceName, patternType, permissionType: allow }]).allows(...read)).toBe(false)
  }
  // One about another resource is none, nor one about a resource of another type.
  expect(open([{ ...other, resourceName: 'b', patternType: literal, permissionType: allow }]).allows(...read)).toBe(
    true,
  )
  const otherType = { ...other, resourceType: group, resourceName: 'abc', patternType: literal, permissionType: allow }
  expect(open([otherType]).allows(...read)).toBe(true)
  expect(open([], ['no acl is no answer']).allows(...read)).toBe(false)
})

test('a removed ACL means nothing any more, and its twin still does', () => {
  const acls = keep([])
  const one = {
    type: 'AccessControlEntryRecord',
    resourceType: topic,
    resourceName: 'a',
    patternType: prefixed,
    principal: 'User:ann',
    host: '*',
    operation: aclOperations.read,
    permissionType: allow,
  } as const
  acls.set({ ...one, id: '1' })
  acls.set({ ...one, id: '2', operation: aclOperations.write })
  const authorizer = new Authorizer(acls, { superUsers: new Set(), allowEveryoneIfNoAclFound: false })
  const ann = { principal: { type: 'User', name: 'ann' }, host: '10.0.0.1' }
  acls.remove({ type: 'RemoveAccessControlEntryRecord', id: '1' })
  expect(authorizer.allows(ann, 'read', 'topic', 'ab')).toBe(false)
  expect(authorizer.allows(ann, 'write', 'topic', 'ab')).toBe(true)
  acls.remove({ type: 'RemoveAccessControlEntryRecord', id: '2' })
  acls.remove({ type: 'RemoveAccessControlEntryRecord', id: '2' })
  expect(authorizer.allows(ann, 'write', 'topic', 'ab')).toBe(false)
  expect(acls.size).toBe(0)
})

describe('may the subject do it with some resource? (KIP-679)', () => {
  const of = (change: Partial<Acl>): Acl => ({
    resourceType: topic,
    resourceName: 'abc',
    patternType: literal,
    principal: 'User:ann',
    host: '*',
    operation: aclOperations.write,
    permissionType: allow,
    ...change,
  })
  const some = (...all: readonly Acl[]) => decide(all).allowsSome('ann', '10.0.0.1', 'write', 'topic')

  test.each<[string, readonly Partial<Acl>[], boolean]>([
    ['nothing said', [], false],
    ['one topic', [{}], true],
    ['one prefix', [{ patternType: prefixed }], true],
    ['all topics', [{ resourceName: '*' }], true],
    ['everything', [{ operation: aclOperations.all }], true],
    ['what implies nothing', [{ operation: aclOperations.read }], false],
    ['another type', [{ resourceType: group }], false],
    ['another host', [{ host: '10.0.0.9' }], false],
    ['everybody', [{ principal: 'User:*' }], true],
    ['one topic that is denied', [{}, { permissionType: deny }], false],
    [
      'one topic whose prefix is denied',
      [{}, { resourceName: 'ab', patternType: prefixed, permissionType: deny }],
      false,
    ],
    ['one prefix that is denied', [{ patternType: prefixed }, { patternType: prefixed, permissionType: deny }], false],
    ['one prefix of which one topic is denied', [{ patternType: prefixed }, { permissionType: deny }], true],
    ['one topic where all are denied', [{}, { resourceName: '*', permissionType: deny }], false],
    ['all topics where one is denied', [{ resourceName: '*' }, { permissionType: deny }], true],
    ['all topics where all are denied', [{ resourceName: '*' }, { resourceName: '*', permissionType: deny }], false],
    ['one topic that another is denied', [{}, { principal: 'User:bob', permissionType: deny }], true],
    ['one topic that is denied for reading', [{}, { operation: aclOperations.read, permissionType: deny }], true],
  ])('%s', (_, all, expected) => {
    expect(some(...all.map(of))).toBe(expected)
  })
})

test('a filter means exactly the ACLs that it describes; `match` those that apply to its name', () => {
  const filter: fc.Arbitrary<AclFilter> = fc.record({
    resourceType: fc.constantFrom(aclResourceTypes.any, topic, group),
    resourceName: fc.option(fc.constantFrom(...names)),
    patternType: fc.constantFrom(aclPatternTypes.any, aclPatternTypes.match, literal, prefixed),
    principal: fc.option(fc.constantFrom('User:ann', 'User:*')),
    host: fc.option(fc.constantFrom('*', ...hosts)),
    operation: fc.constantFrom(aclOperations.any, aclOperations.all, aclOperations.read),
    permissionType: fc.constantFrom(aclPermissions.any, allow, deny),
  })
  const fits = (wanted: unknown, any: unknown, value: unknown) => wanted === any || wanted === value
  fc.assert(
    fc.property(acl, filter, (each, wanted) => {
      const { patternType, resourceName: name } = wanted
      const named =
        name === null ||
        each.resourceName === name ||
        (patternType === aclPatternTypes.match &&
          (each.patternType === prefixed ? name.startsWith(each.resourceName) : each.resourceName === '*'))
      const expected =
        fits(wanted.resourceType, aclResourceTypes.any, each.resourceType) &&
        fits(wanted.principal, null, each.principal) &&
        fits(wanted.host, null, each.host) &&
        fits(wanted.operation, aclOperations.any, each.operation) &&
        fits(wanted.permissionType, aclPermissions.any, each.permissionType) &&
        ([aclPatternTypes.any, aclPatternTypes.match] as number[]).concat(each.patternType).includes(patternType) &&
        named
      return isMeantByFilter(each, wanted) === expected
    }),
    { numRuns: 3000 },
  )
})

test('Kafka’s keys make an authorizer: super users are separated by semicolons, since names of certificates have commas', () => {
  const of = (configs: Record<string, string>) => authorizerOf(new Acls(), new Map(Object.entries(configs)))
  expect(of({})).toBeUndefined()
  expect(of({ 'authorizer.class.name': '' })).toBeUndefined()
  const made = of({ 'authorizer.class.name': 'any', 'super.users': 'User:CN=ann,O=x; User:bob;' })!
  const may = (name: string) => made.allows({ principal: { type: 'User', name }, host: '::1' }, 'alter', 'cluster', 'c')
  expect(['CN=ann,O=x', 'bob', 'ann', ''].map(may)).toEqual([true, true, false, false])
  const open = of({ 'authorizer.class.name': 'any', 'allow.everyone.if.no.acl.found': 'TRUE' })!
  expect(open.allows({ principal: { type: 'User', name: 'x' }, host: '::1' }, 'read', 'topic', 't')).toBe(true)
})

test('addresses are written as Java writes them: no zero is left out of IPv6 (M-71)', () => {
  const rest = {
    resourceType: topic,
    resourceName: 'a',
    patternType: literal,
    principal: 'User:ann',
    operation: aclOperations.read,
  }
  const may = (host: string, from: string) =>
    decide([{ ...rest, host, permissionType: allow }]).allows('ann', from, 'read', 'topic', 'a')
  expect(may('0:0:0:0:0:0:0:1', '::1')).toBe(true)
  expect(may('::1', '::1')).toBe(false)
  expect(may('127.0.0.1', '::ffff:127.0.0.1')).toBe(true)
})
