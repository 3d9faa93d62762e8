import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { jars } from '../oracle/kafka.mjs'

const packages = {
  'kafka-broker-api-versions': 'org.apache.kafka.tools.BrokerApiVersionsCommand',
  'kafka-acls': 'org.apache.kafka.tools.AclCommand',
  'kafka-cluster': 'org.apache.kafka.tools.ClusterTool',
  'kafka-configs': 'kafka.admin.ConfigCommand',
  'kafka-console-consumer': 'org.apache.kafka.tools.consumer.ConsoleConsumer',
  'kafka-console-producer': 'org.apache.kafka.tools.ConsoleProducer',
  'kafka-consumer-groups': 'org.apache.kafka.tools.consumer.group.ConsumerGroupCommand',
  'kafka-delegation-tokens': 'org.apache.kafka.tools.DelegationTokenCommand',
  'kafka-delete-records': 'org.apache.kafka.tools.DeleteRecordsCommand',
  'kafka-features': 'org.apache.kafka.tools.FeatureCommand',
  'kafka-get-offsets': 'org.apache.kafka.tools.GetOffsetShell',
  'kafka-groups': 'org.apache.kafka.tools.GroupsCommand',
  'kafka-leader-election': 'org.apache.kafka.tools.LeaderElectionCommand',
  'kafka-log-dirs': 'org.apache.kafka.tools.LogDirsCommand',
  'kafka-metadata-quorum': 'org.apache.kafka.tools.MetadataQuorumCommand',
  'kafka-reassign-partitions': 'org.apache.kafka.tools.reassign.ReassignPartitionsCommand',
  'kafka-topics': 'org.apache.kafka.tools.TopicCommand',
  'kafka-verifiable-producer': 'org.apache.kafka.tools.VerifiableProducer',
} as const

export type ToolName = keyof typeof packages

/** What its scripts in `bin/` would start. */
export function startTool(name: ToolName, bootstrapServers: string, args: string[]): ChildProcessWithoutNullStreams {
  const quick = ['-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Xmx256m']
  const quiet = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-Dlog4j2.disable.jmx=true']
  const program = [...quick, ...quiet, '-cp', `${jars()}/*`, packages[name]]
  const server = ['--bootstrap-server', bootstrapServers]
  // Where it has subcommands of their own options, some want the address before them, this one after.
  const line = name === 'kafka-cluster' ? [...args, ...server] : [...server, ...args]
  return spawn('java', [...program, ...line])
}

export interface Said {
  readonly code: number
  /** Lines of stdout, without blanks at their ends and without those that are empty. */
  readonly lines: readonly string[]
  readonly errors: string
}

/** One of Apache Kafka's own tools, until it ends. */
export async function tool(name: ToolName, bootstrapServers: string, args: string[], stdin = ''): Promise<Said> {
  const child = startTool(name, bootstrapServers, args)
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', text => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    errors += text
  })
  child.stdin.end(stdin)
  const [code] = (await once(child, 'close')) as [number]
  const lines = output.split('\n').map(line => line.trimEnd())
  return { code, lines: lines.filter(line => line !== ''), errors }
}
