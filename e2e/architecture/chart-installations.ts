/** Flags of Helm that set these values. */
export const asFlags = (sets: readonly string[]): string[] => sets.flatMap((set) => ['--set', set]);

const everything = [
  'ingress.enabled=true',
  'ingress.tlsSecret=tls',
  'serviceMonitor.enabled=true',
  'prometheusRule.enabled=true',
  'secrets.metricsToken.name=gatehouse-metrics',
  'tracing.endpoint=https://collector.example.com',
  'tracing.sampleRatio=0.25',
  'secrets.tracingHeaders.name=gatehouse-tracing',
  'bus.tls=true',
  'bus.user=gatehouse',
  'bus.sasl=plain',
  'secrets.busCa.name=kafka-ca',
  'secrets.busCertificate.name=kafka-client',
  'database.parameters=sslmode=verify-full',
  'gateway.settings.maxSessions=5',
  'gateway.autoscaling.enabled=false',
];

/** How the chart is installed where its tests render it, by name. */
export const installations: readonly (readonly [string, readonly string[]])[] = [
  ['as it comes', []],
  ['with everything on', everything],
];
