/** Keys of Kafka's that are checked, and then change nothing here; with the reason, as a warning says it. */
const reasons: readonly (readonly [keys: RegExp, reason: string])[] = [
  [/^(config|security)\.providers$|^metric\.reporters$/, 'only Java has it'],
  [/^ssl\.(provider|engine\.factory\.class|(key|trust)manager\.algorithm|secure\.random\.impl.*)$/, 'only Java has it'],
  [/^sasl\.(client\.callback\.handler|login|oauthbearer\.jwt\.\w+)\.class$/, 'only Java has it'],
  [/^sasl\.kerberos\./, 'Kerberos is not spoken'],
  [/^sasl\.oauthbearer\.(clock|expected|jwks)\./, 'it is for brokers, which check tokens'],
  [
    /^sasl\.oauthbearer\.(?!sub\.|scope\.claim)|^sasl\.login\.(connect|read|retry)\./,
    'no token endpoint is asked; sasl.login.callback.handler.class takes a function that answers a token',
  ],
  [/^(send|receive)\.buffer\.bytes$/, 'Node cannot set the buffers of the kernel'],
  [/^client\.dns\.lookup$/, 'Node tries all addresses of a name'],
  [/^enable\.metrics\.push$/, 'no metrics are pushed to brokers'],
  [/^metrics\.recording\.level$/, 'every metric is kept'],
  [/^bootstrap\.controllers$/, 'controllers are reached through brokers: set bootstrap.servers'],
]

/** Why a key changes nothing; undefined: it does. */
export function reasonWithoutEffect(key: string): string | undefined {
  return reasons.find(([keys]) => keys.test(key))?.[1]
}
