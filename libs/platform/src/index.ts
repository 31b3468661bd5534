export { systemClock, type Clock, type Platform } from './platform.ts';
export {
  openServiceDatabase,
  type ServiceDatabase,
  type SqlClient,
} from './database/service-database.ts';
export { migrate, type MigrationPlan, type MigrationReport } from './database/migrate.ts';
export { refusedIfUnavailable } from './database/unavailable.ts';
export { SchemaClaim, type NeededSchema } from './database/schema-claim.ts';
export { platformMigrations } from './database/platform-migrations.ts';
export { PostgresEventStore, type InlineProjection } from './event-store/postgres-event-store.ts';
export { fromMessage, positionOf, toMessage } from './event-store/event-message.ts';
export { HeardBeats, type BeatLimits, type StateTopic } from './state/heard-beats.ts';
export { OutboxRelay, type StateFeed } from './event-store/outbox-relay.ts';
export type { ReadingProgress } from './state/follow-state.ts';
export { StateKeeper, type FoldHolder, type KeptFold } from './state/keep-state.ts';
export { ProjectionRunner, type Projection } from './projection/projection-runner.ts';
export { PostgresEventBus } from './bus/postgres/postgres-event-bus.ts';
export { KafkaEventBus, type KafkaEventBusOptions } from './bus/kafka/kafka-event-bus.ts';
export {
  applyKafkaTopics,
  parkKafkaMessage,
  replayKafkaDeadLetters,
  type KafkaOperationsOptions,
} from './bus/kafka/kafka-operations.ts';
export type { KafkaConnection } from './bus/kafka/kafka-client.ts';
export { checkShape } from './command/check-shape.ts';
export { receipt, type CommandHandlers, type QueryHandlers } from './command/handlers.ts';
export { internalController } from './command/internal-controller.ts';
export { OwnerClient, type SentBy } from './command/owner-client.ts';
export {
  configSection,
  environmentName,
  type ConfigOf,
  type ConfigSection,
} from './config/config-section.ts';
export {
  ConfigError,
  loadConfig,
  type ConfigSources,
  type LoadedConfig,
} from './config/load-config.ts';
export { readSecret } from './config/read-token.ts';
export { whyKafkaUnreachable } from './bus/kafka/why-unreachable.ts';
export { logFailure } from './host/log-failure.ts';
export { clusterSections } from './process/cluster-sections.ts';
export { makeDataDirectory } from './process/data-directory.ts';
export { endInTime } from './process/end-in-time.ts';
export { createLogger, type Logger, type LoggerOptions } from './log/logger.ts';
export {
  currentSpan,
  failSpan,
  inSpan,
  isTracing,
  startSpan,
  traceparentOf,
  withSpan,
  type Span,
} from './tracing/span.ts';
export { startTracing } from './tracing/start-tracing.ts';
export { readTraceparent } from './tracing/traceparent.ts';
export { tracingConfig, type TracingConfig } from './tracing/tracing.config.ts';
export { host, type Hosted, type HostOptions, type ServiceModule } from './host/host.ts';
export { lacksHost, type RawHandler } from './host/http-server.ts';
export type { MalformedRequest, OnMalformedRequest } from './host/malformed-request.ts';
export { canonicalPath } from './host/request-target.ts';
export { metricsConfig, readMetricsToken, type MetricsConfig } from './metrics/metrics.config.ts';
export {
  counter,
  gauge,
  histogram,
  metricFamilies,
  type CounterMetric,
  type GaugeMetric,
  type HistogramMetric,
  type MetricFamily,
  type Reading,
} from './metrics/metric.ts';
export { nameProcess } from './metrics/registry.ts';
export { Sampled } from './metrics/sampled.ts';
export { problemDocument, type ProblemDocument } from './host/problem-document.ts';
export { createReadiness, type Readiness } from './host/readiness.ts';
export {
  busSettings,
  kafkaConnection,
  readBusAddress,
  type BusAddress,
  type BusSettings,
} from './process/bus-address.ts';
export { openBus, type OpenedBus } from './process/open-bus.ts';
export { processConfig, type ProcessConfig } from './process/process.config.ts';
export { deployable, type Deployable } from './process/deployable.ts';
export { Pulse } from './worker/pulse.ts';
export type { Worker } from './worker/worker.ts';
export { seal, unseal, type SealedValue } from './sealing/seal.ts';
export {
  createSealingKeyIfAbsent,
  readSealingKey,
  sealingKeyFrom,
  type SealingKey,
} from './sealing/sealing-key.ts';
