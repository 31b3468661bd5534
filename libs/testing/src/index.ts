export { describeSchema } from './describe-schema.ts';
export { eventually, type EventuallyOptions } from './eventually.ts';
export { freePort } from './free-port.ts';
export { freshDatabase, type FreshDatabase } from './fresh-database.ts';
export { ManualClock } from './manual-clock.ts';
export { startSecureKafka, type KafkaUser, type SecureKafka } from './secure-kafka.ts';
export { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
export {
  startThrowAwayKafka,
  whyKafkaIsMissing,
  type KafkaDoor,
  type ThrowAwayKafka,
  type ThrowAwayKafkaOptions,
} from './throw-away-kafka.ts';
export {
  startThrowAwayPostgres,
  type ThrowAwayPostgres,
  type ThrowAwayPostgresOptions,
} from './throw-away-postgres.ts';
export {
  everythingStdio,
  filesystemStdio,
  startEverythingOverHttp,
  type HttpUpstream,
  type StdioCommand,
} from './upstreams.ts';
