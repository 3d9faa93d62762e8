import { createAcls } from '../../src/apis/create-acls.ts'
import { deleteAcls } from '../../src/apis/delete-acls.ts'
import { describeAcls } from '../../src/apis/describe-acls.ts'
import { ROOT } from './grants.ts'
import { type Question, question } from './questions.ts'

const acl = {
  resourceType: 2,
  resourceName: 'zz',
  principal: 'User:zz',
  host: '*',
  operation: 3,
  permissionType: 3,
}
const any = {
  resourceTypeFilter: 1,
  resourceNameFilter: null,
  patternTypeFilter: 1,
  principalFilter: null,
  hostFilter: null,
  operation: 1,
  permissionType: 1,
}
const none = { ...any, resourceTypeFilter: 2, resourceNameFilter: 'nosuch', patternTypeFilter: 3 }
/** What no ACL can be (M-73), or what one would not expect to be one. */
const odd = [
  { resourceType: 1 },
  { resourceName: '' },
  { resourcePatternType: 1 },
  { resourcePatternType: 2 },
  { principal: 'alice' },
  { principal: '' },
  { principal: ':alice' },
  { principal: 'User:' },
  { principal: 'Group:staff' },
  { host: '' },
  { host: 'not an address' },
  { operation: 1 },
  { permissionType: 1 },
  { resourceType: 4, resourceName: 'my-cluster' },
  { resourceType: 4, resourceName: 'kafka-cluster', operation: 3 },
  { operation: 12 },
  { resourceType: 6, resourceName: 'token', operation: 8 },
  { resourceType: 7, resourceName: 'User:alice', operation: 13 },
  { resourceType: 5, resourceName: '*', operation: 15 },
]
const unknown = [
  { resourceType: 0 },
  { resourcePatternType: 0 },
  { operation: 0 },
  { permissionType: 0 },
  { operation: 99 },
]
const unknownFilters = [
  { resourceTypeFilter: 0 },
  { patternTypeFilter: 0 },
  { operation: 0 },
  { permissionType: 0 },
  { operation: 99 },
]
const filters = [
  {},
  { resourceTypeFilter: 4 },
  { resourceNameFilter: 't-' },
  { resourceNameFilter: 't-open' },
  { resourceNameFilter: 't-open', patternTypeFilter: 2 },
  { resourceNameFilter: 't-open', patternTypeFilter: 3 },
  { resourceNameFilter: 't-open', patternTypeFilter: 4 },
  { resourceNameFilter: '*', patternTypeFilter: 3 },
  { resourceNameFilter: '*', patternTypeFilter: 2 },
  { resourceNameFilter: '' },
  { resourceTypeFilter: 3, patternTypeFilter: 2, resourceNameFilter: 'g-open' },
  { patternTypeFilter: 3 },
  { patternTypeFilter: 2 },
  { principalFilter: 'User:consumer' },
  { principalFilter: 'User:*' },
  { principalFilter: 'consumer' },
  { hostFilter: '10.9.8.7' },
  { hostFilter: '*', resourceTypeFilter: 5 },
  { operation: 2 },
  { operation: 15 },
  { permissionType: 2 },
  { permissionType: 3, principalFilter: 'User:denied-write' },
]
/** Made for nothing but to be deleted. */
const doomed = [
  { resourceName: 'dd-1' },
  { resourceName: 'dd-1', operation: 4 },
  { resourceName: 'dd-1', host: '10.0.0.1' },
  { resourceName: 'dd-1', permissionType: 2 },
  { resourceName: 'dd-', resourcePatternType: 4 },
  { resourceName: 'dd-2', resourceType: 3 },
]
const toDelete = [
  [none],
  [{ ...any, resourceNameFilter: 'dd-1', operation: 4 }],
  [
    { ...any, resourceNameFilter: 'dd-1', permissionType: 2 },
    { ...any, resourceNameFilter: 'dd-1', operation: 3, permissionType: 2 },
  ],
  [{ ...any, resourceNameFilter: 'dd-1', patternTypeFilter: 2, resourceTypeFilter: 2, principalFilter: 'User:zz' }],
  [{ ...any, resourceNameFilter: 'dd-2' }, none],
]

const byRoot = { who: [ROOT] }
const both = { who: [ROOT, 'nobody'] }

export const aclQuestions: readonly Question[] = [
  ...filters.flatMap(filter => [
    question(`with ${JSON.stringify(filter)}`, describeAcls, 3, { ...any, ...filter }, byRoot),
  ]),
  question('of one principal, old', describeAcls, 1, { ...any, principalFilter: 'User:consumer' }, byRoot),
  question('of none', describeAcls, 3, none),
  question('of none, old', describeAcls, 1, none, both),
  question('of one', createAcls, 3, { creations: [acl, { ...acl, resourceType: 3, host: '' }] }),
  question('of one, old', createAcls, 1, { creations: [acl] }, both),
  question('of nothing', createAcls, 2, { creations: [] }, both),
  question('of none', deleteAcls, 3, { filters: [none, { ...none, resourceTypeFilter: 3 }] }),
  question('of nothing', deleteAcls, 1, { filters: [] }, both),
  ...odd.map(change =>
    question(`with ${JSON.stringify(change)}`, createAcls, 3, { creations: [{ ...acl, ...change }, acl] }, byRoot),
  ),
  ...unknown.map(change =>
    question(`with ${JSON.stringify(change)}`, createAcls, 3, { creations: [{ ...acl, ...change }, acl] }, both),
  ),
  ...unknownFilters.flatMap(change => [
    question(`with ${JSON.stringify(change)}`, describeAcls, 3, { ...any, ...change }, both),
    question(`with ${JSON.stringify(change)}`, deleteAcls, 3, { filters: [{ ...any, ...change }, none] }, both),
  ]),
  question('to be deleted', createAcls, 3, { creations: doomed.map(change => ({ ...acl, ...change })) }, byRoot),
  ...toDelete.map((each, index) => question(`by filters, ${index + 1}`, deleteAcls, 3, { filters: each }, byRoot)),
  question('that are gone', describeAcls, 3, { ...any, resourceNameFilter: 'dd-1', patternTypeFilter: 2 }, byRoot),
]
