import { declaredMetrics } from '@gatehouse/standalone';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { textOf } from './repo.ts';

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
interface RuleFile {
  readonly groups: readonly { readonly name: string; readonly rules: readonly Rule[] }[];
}

const { groups } = parse(textOf('infra/prometheus/alerts.yml')) as RuleFile;
const rules = groups.flatMap((group) => group.rules);
const families = new Map(declaredMetrics().map((family) => [family.name, family]));
// What Prometheus adds to everything that it scrapes.
const OF_THE_SCRAPE = ['instance', 'job', 'le'];

/** The entries of the operations page, by the alert in their heading. */
const runbook = textOf('docs/operations.md')
  .split('\n## The alerts\n')[1]!
  .split('\n### ')
  .slice(1)
  .map((entry) => {
    const [alert = '', text = ''] = entry.split(/\n\n([^]*)/);
    return { alert, text };
  });

/** What a rule asks for that nobody tells. */
function untold({ expr, annotations }: Rule): string[] {
  const named = [...expr.matchAll(/gatehouse_\w+/g)].map(([name]) => name);
  const known = named.flatMap((name) => families.get(familyOf(name)) ?? []);
  const labels = new Set([...OF_THE_SCRAPE, ...known.flatMap((family) => family.labels)]);
  const used = [
    ...[...expr.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/)),
    ...[...expr.matchAll(/(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(([, label = '']) => label),
    ...[
      ...Object.values(annotations)
        .join(' ')
        .matchAll(/\$labels\.(\w+)/g),
    ].map(([, l = '']) => l),
  ];
  return [
    ...named.filter((name) => !families.has(familyOf(name))),
    ...used.filter((label) => !labels.has(label)),
  ];
}

/** A histogram is asked for by its parts; nothing else has such. */
function familyOf(name: string): string {
  const whole = name.replace(/_(bucket|sum|count)$/, '');
  return families.get(whole)?.type === 'histogram' ? whole : name;
}

describe('infra/prometheus/alerts.yml', () => {
  test.each(rules)('$alert asks for metrics and labels that the services have', (rule) => {
    expect(/gatehouse_/.test(rule.expr)).toBe(true);
    expect(untold(rule)).toEqual([]);
  });

  test.each(rules)('$alert says how bad it is, what has happened, and what to do', (rule) => {
    expect(Object.keys(rule).filter((key) => !RULE_KEYS.includes(key))).toEqual([]);
    expect(['critical', 'warning']).toContain(rule.labels['severity']);
    expect(Object.keys(rule.annotations)).toEqual(['summary', 'description', 'runbook']);
    expect(rule.for ?? '0s').toMatch(/^\d+[smh]$/);
  });

  test('names each alert and each group once', () => {
    for (const names of [rules.map(({ alert }) => alert), groups.map(({ name }) => name)])
      expect(new Set(names).size).toBe(names.length);
  });

  test.each(rules)('$alert names its heading in the operations page', ({ alert, annotations }) => {
    expect(annotations['runbook']).toBe(`docs/operations.md#${alert.toLowerCase()}`);
  });

  test('has an entry in the operations page for every alert, in its order, and the page has no other', () => {
    expect(runbook.map(({ alert }) => alert)).toEqual(rules.map(({ alert }) => alert));
  });

  test.each(runbook)(
    'the entry of $alert says what it means, where to look and what to do',
    ({ text }) => {
      expect(text).toMatch(/^\S[^]*\n\*\*Look:\*\* \S[^]*\n\*\*Do:\*\* \S[^]*\.\n*$/);
    },
  );

  test('watches what must never go unseen', () => {
    const watched = rules.map(({ expr }) => expr).join('\n');
    for (const name of [
      'gatehouse_outbox_oldest_unrelayed_age_seconds',
      'gatehouse_bus_partitions_stopped',
      'gatehouse_gateway_spool_refusing',
      'gatehouse_gateway_state_age_seconds',
      'gatehouse_bus_consumer_lag_messages',
      'gatehouse_audit_gaps_total',
    ])
      expect(watched).toContain(name);
  });

  test('an alert on what nobody tells would be found', () => {
    const rule = { ...rules[0]!, annotations: {} };
    const ask = (expr: string): string[] => untold({ ...rule, expr });
    expect(ask('gatehouse_made_up > 0')).toEqual(['gatehouse_made_up']);
    expect(ask('gatehouse_bus_connected{tool="x"} == 0')).toEqual(['tool']);
    expect(ask('sum by (principal) (gatehouse_audit_gaps_total)')).toEqual(['principal']);
    expect(ask('gatehouse_audit_gaps_total_bucket')).toEqual(['gatehouse_audit_gaps_total_bucket']);
  });
});

describe('the metrics of the services', () => {
  test.each([...families.values()])('$name is named, counted and told as ours are', (family) => {
    const { name, type, help, labels } = family;
    expect(name).toMatch(/^gatehouse_[a-z]+(_[a-z]+)*$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(type !== 'histogram' || name.endsWith('_seconds')).toBe(true);
    expect(help).toMatch(/[.)]$/);
    // A person, a tool, a session or an address as a label would be a series of its own each.
    expect(labels.filter((label) => UNBOUNDED.includes(label))).toEqual([]);
  });
});

const RULE_KEYS = ['alert', 'expr', 'for', 'labels', 'annotations'];
const UNBOUNDED = ['principal', 'tool', 'user', 'agent', 'key', 'session', 'ip', 'path', 'client'];
