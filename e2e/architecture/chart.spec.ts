import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { describe, expect, test } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { environmentName } from '@gatehouse/platform';
import { commandExists, deployedServices, loadAs, secretsIn, sectionsOf } from './deployment.ts';
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
    ['two pods on one volume', { services: { identity: { replicas: 2 } } }],
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
      const [, section] = sectionsOf(['serve', name]);
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
    'Deployment',
    'StatefulSet',
    'Job',
    'PodDisruptionBudget',
    'NetworkPolicy',
    'HorizontalPodAutoscaler',
    'Ingress',
    'ServiceMonitor',
  ])('make a %s', (kind) => {
    expect(source).toMatch(new RegExp(`^kind: ${kind}$`, 'm'));
  });
});

interface Pod {
  readonly containers: readonly Container[];
  readonly volumes: readonly { readonly name: string }[];
}
interface Container {
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value: string }[];
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}
interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: {
    readonly podSelector?: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly template?: { readonly spec: Pod };
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
  };
}

const helm = process.env['HELM'] ?? 'helm';
const hasHelm = spawnSync(helm, ['version']).status === 0;

function render(...sets: string[]): Manifest[] {
  const { stdout, stderr, status } = spawnSync(
    helm,
    [
      'template',
      'gate',
      CHART,
      '--kube-version',
      '1.34.0',
      ...sets.flatMap((set) => ['--set', set]),
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(stderr);
  return parseAllDocuments(stdout).flatMap((document) => {
    expect(document.errors).toEqual([]);
    return (document.toJS() as Manifest | null) ?? [];
  });
}

const everything = [
  'ingress.enabled=true',
  'ingress.tlsSecret=tls',
  'serviceMonitor.enabled=true',
  'bus.tls=true',
  'bus.user=gatehouse',
  'database.parameters=sslmode=verify-full',
  'gateway.settings.maxSessions=5',
  'gateway.autoscaling.enabled=false',
];

// Told by Helm itself where it is at hand (on PATH, or at HELM): CI has it.
const ways: readonly (readonly [string, readonly string[]])[] = [
  ['as it comes', []],
  ['with everything on', everything],
];

describe.each(hasHelm ? ways : [])('the chart as rendered, %s', (_, sets) => {
  const manifests = render(...sets);
  const pods = manifests.flatMap(({ metadata, spec }) =>
    spec?.template === undefined ? [] : [{ name: metadata.name, spec, pod: spec.template.spec }],
  );

  test('names each thing once', () => {
    const names = manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    expect(names.filter((name) => name.startsWith('Secret/'))).toEqual([]);
  });

  test('has a budget and network rules for each service', () => {
    for (const service of deployedServices)
      for (const kind of ['PodDisruptionBudget', 'NetworkPolicy', 'ConfigMap', 'Service'])
        expect(
          manifests.filter((it) => it.kind === kind && it.metadata.name.endsWith(`-${service}`)),
        ).toHaveLength(1);
  });

  test('starts each container with a command that exists, on settings that suffice', () => {
    expect(pods).toHaveLength(deployedServices.length + 2);
    for (const { pod } of pods) for (const container of pod.containers) expectToStart(container);
  });

  test('mounts volumes that each pod has', () => {
    for (const { pod, spec } of pods) {
      const claims = (spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name);
      const has = [...pod.volumes.map(({ name }) => name), ...claims];
      for (const { volumeMounts } of pod.containers)
        for (const { name } of volumeMounts) expect(has).toContain(name);
    }
  });

  function expectToStart({ args, env }: Container): void {
    expect(commandExists(args)).toBe(true);
    const { GATEHOUSE_CONFIG: file, ...environment } = Object.fromEntries(
      env.map(({ name, value }) => [name, value]),
    );
    expect(secretsIn(environment)).toEqual([]);
    const settings = manifests.find(
      ({ kind, metadata }) => kind === 'ConfigMap' && metadata.name.endsWith(`-${args[1]}`),
    )?.data?.[`${args[1]}.yaml`];
    expect(file === undefined).toBe(settings === undefined);
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-chart-'));
    try {
      writeFileSync(join(folder, 'settings.yaml'), settings ?? '');
      expect(() => loadAs(args, environment, join(folder, 'settings.yaml'))).not.toThrow();
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
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
