import type { MetricFamily } from '@gatehouse/platform';
import { declaredMetrics } from '@gatehouse/standalone';
import { code, heading, table } from './markdown.ts';

const areas: readonly (readonly [title: string, start: RegExp])[] = [
  ['Every process', /^gatehouse_(build|http)_/],
  ['Commands and queries', /^gatehouse_command/],
  ['Event logs and their relays', /^gatehouse_(event|outbox)/],
  ['The bus', /^gatehouse_bus_/],
  ['Projections', /^gatehouse_projection_/],
  ['The gateway', /^gatehouse_gateway_/],
  ['The trail', /^gatehouse_audit_/],
  ['The registry', /^gatehouse_registry_/],
  ['The admin API', /^gatehouse_admin_/],
];

/** `docs/reference/metrics.md`: what every process tells Prometheus. */
export function metricsPage(): string {
  const families = declaredMetrics();
  const homeless = families.filter(({ name }) => !areas.some(([, start]) => start.test(name)));
  if (homeless.length > 0)
    throw new Error(`no area of ${homeless.map(({ name }) => name).join(', ')}`);
  return [
    heading('Metrics', 'what the services declare'),
    'Every process answers `/metrics`, in the text format of Prometheus; with `metrics.tokenFile` set, only to who sends that',
    'token as `Authorization: Bearer`. Durations are in seconds and sizes in bytes. A histogram has `_bucket`, `_sum` and',
    '`_count`. The label `service` names the service that a value speaks of, or the process where it speaks of that: a',
    'standalone process hosts all of them, and calls itself `standalone`. The other labels take values that are bounded: problem',
    'codes, commands, topics, the slugs of approved servers. None is a person, a tool, or what a caller wrote. Beside these',
    'there are the usual `process_…` and `nodejs_…` of Node.js. Alerts on them are in',
    '[`infra/prometheus/alerts.yml`](../../infra/prometheus/alerts.yml).',
    '',
    ...areas.flatMap(([title, start]) => [
      `## ${title}`,
      '',
      familiesTable(families.filter(({ name }) => start.test(name))),
    ]),
  ].join('\n');
}

function familiesTable(families: readonly MetricFamily[]): string {
  return table(
    ['Metric', 'Type', 'Labels', 'What it says'],
    families.map(({ name, type, labels, help }) => [
      code(name),
      type,
      labels.map(code).join(', '),
      help,
    ]),
  );
}
