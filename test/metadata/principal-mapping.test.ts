import { expect, test } from 'vitest'
import { PrincipalMapping } from '../../src/metadata/principal-mapping.ts'
import { ConfigError } from '../../src/wire/errors.ts'

const subject = 'CN=Duke,OU=ServiceUsers,O=Org,C=US'

test.each([
  ['DEFAULT', subject],
  ['RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/', 'Duke'],
  ['RULE:^CN=(.*?),OU=ServiceUsers.*$/$1/L', 'duke'],
  ['RULE:^CN=(.*?),OU=(.*?),O=(.*?),C=(.*?)$/$1@$2.$3/U', 'DUKE@SERVICEUSERS.ORG'],
  ['RULE:^cn=(.*?),.*$/$1/, RULE:.*OU=(\\w+),.*/$1/, DEFAULT', 'ServiceUsers'],
  ['RULE:^.*[Cc][Nn]=([a-zA-Z0-9.]*).*$/$1/L', 'duke'],
  ['RULE:^CN=([^,]+),.*$/a\\/$1\\$/', 'a/Duke$'],
  ['RULE:CN=(.*)/$9|$1/', '|Duke,OU=ServiceUsers,O=Org,C=US'],
  ['RULE:^CN=Earl.*$/$0/', undefined],
  ['RULE:Duke/x/', undefined],
])('%s makes of the name: %s (KIP-371, M-65)', (rules, name) => {
  expect(new PrincipalMapping(rules).nameOf(subject)).toBe(name)
})

test.each(['default', 'RULE:^CN=(.*)$/$1', 'RULE:a', 'RULE:(/x/', 'DEFAULT RULE:a/b/', 'RULE:a/b/X'])(
  '%s is no rule',
  rules => {
    expect(() => new PrincipalMapping(rules)).toThrow(ConfigError)
    expect(() => new PrincipalMapping(rules)).toThrow(/^ssl\.principal\.mapping\.rules: '/)
  },
)
