import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { environmentName } from '@gatehouse/platform';
import { deployedServices, sectionsOf } from './deployment.ts';
import { filesUnder, textOf } from './repo.ts';

const CHART = 'infra/helm/gatehouse';
const templates = filesUnder(`${CHART}/templates`);
const source = templates.map(textOf).join('\n');
const values = parse(textOf(`${CHART}/values.yaml`), { merge: true }) as Values;

interface Service {
  readonly settings: Readonly<Record<string, unknown>>;
}
interface Values {
  readonly gateway: Service;
  readonly services: Readonly<Record<string, Service>>;
  readonly secrets: Readonly<Record<string, unknown>>;
}

describe('the values of the chart', () => {
  const schema = JSON.parse(textOf(`${CHART}/values.schema.json`)) as object;
  const valid = new Ajv({ strict: true, strictTypes: false, strictRequired: false }).compile(
    schema,
  );

  test('are as their schema says', () => {
    expect(valid(values), JSON.stringify(valid.errors)).toBe(true);
  });

  test.each([
    ['a typo', { gatewy: {} }],
    ['a secret itself', { secrets: { ...values.secrets, roles: { value: 'hunter2' } } }],
    ['a password in the address of the database', { database: { parameters: 'password=x' } }],
    ['the newest image, whichever it is', { image: { tag: 'latest' } }],
    [
      'an identity without a volume for the first token',
      { services: { identity: { volume: false } } },
    ],
    ['an authority for what is no TLS', { secrets: { busCa: { name: 'kafka-ca' } } }],
    ['a password that would go in clear', { bus: { sasl: 'plain' } }],
    ['a broker without a port', { bus: { brokers: ['kafka'] } }],
  ])('may not hold %s', (_, other) => {
    expect(valid(merged(values, other))).toBe(false);
  });

  test('are all used, and all that is used is there', () => {
    const used = new Set([...source.matchAll(/\.Values\.([A-Za-z.]+)/g)].map(([, path]) => path!));
    const missing = [...used].filter((path) => at(values, path) === undefined);
    expect(missing).toEqual([]);
    const unused = Object.keys(values).filter(
      (name) => ![...used].some((path) => path === name || path.startsWith(`${name}.`)),
    );
    expect(unused).toEqual([]);
  });

  test('know every service, and settings of it alone', () => {
    const services: Readonly<Record<string, Service>> = {
      ...values.services,
      gateway: values.gateway,
    };
    expect(Object.keys(services).toSorted()).toEqual(deployedServices.toSorted());
    for (const [name, { settings }] of Object.entries(services)) {
      const section = sectionsOf(['serve', name]).at(-1);
      for (const key of Object.keys(settings)) expect(section?.schema.shape).toHaveProperty(key);
    }
  });
});

// What can be told from the templates without Helm, where there is none.
describe('the templates of the chart', () => {
  test.each(templates)('%s ends each block that it begins', (path) => {
    const actions = [...textOf(path).matchAll(/\{\{-?\s*(\w+)/g)].map(([, word]) => word);
    const begun = actions.filter((word) => /^(if|range|with|define|block)$/.test(word ?? ''));
    expect(actions.filter((word) => word === 'end')).toHaveLength(begun.length);
  });

  test('name only settings that exist', () => {
    const known = [
      ...deployedServices.flatMap((name) => sectionsOf(['serve', name])),
      ...sectionsOf(['migrate']),
      ...sectionsOf(['topics']),
    ].flatMap((section) =>
      Object.keys(section.schema.shape).map((key) => environmentName(section, key)),
    );
    const named = [...source.matchAll(/name: (GATEHOUSE_\w+)/g)].map(([, name]) => name!);
    expect(named.length).toBeGreaterThan(10);
    const unknown = named.filter((name) => !known.includes(name) && name !== 'GATEHOUSE_CONFIG');
    expect(unknown).toEqual([]);
  });

  test('hold every pod to the same rules, and bring no Secret', () => {
    const pods = [...source.matchAll(/^ +containers:$/gm)].length;
    expect(pods).toBe(4);
    expect([...source.matchAll(/include "gatehouse\.podSecurity"/g)]).toHaveLength(pods);
    for (const rule of [
      'automountServiceAccountToken: false',
      // Else Kubernetes names its Services in GATEHOUSE_ variables that nobody knows, and no process starts.
      'enableServiceLinks: false',
      'runAsNonRoot: true',
      'readOnlyRootFilesystem: true',
      'allowPrivilegeEscalation: false',
      'drop: [ALL]',
      'path: /health/live',
      'path: /health/ready',
    ])
      expect(source).toContain(rule);
    expect(source).not.toMatch(/^kind: Secret$/m);
  });

  test.each([
    'StatefulSet',
    'Job',
    'PodDisruptionBudget',
    'NetworkPolicy',
    'HorizontalPodAutoscaler',
    'Ingress',
    'ServiceMonitor',
    'PrometheusRule',
  ])('make a %s', (kind) => {
    expect(source).toMatch(new RegExp(`^kind: ${kind}$`, 'm'));
  });
});

function at(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((inner, key) => (inner as Record<string, unknown> | undefined)?.[key], value);
}

function merged(base: unknown, over: unknown): unknown {
  if (typeof base !== 'object' || typeof over !== 'object' || Array.isArray(over)) return over;
  const result: Record<string, unknown> = { ...base };
  for (const [key, value] of Object.entries(over ?? {})) result[key] = merged(result[key], value);
  return result;
}
