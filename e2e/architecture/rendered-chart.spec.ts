import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { selects } from '../journeys/harness/chart/network-rules.ts';
import {
  hasHelm,
  KUBERNETES,
  renderChart,
  runHelm,
  type Container,
  type Manifest,
} from '../journeys/harness/chart/rendered-chart.ts';
import { asFlags, installations } from './chart-installations.ts';
import { commandExists, deployedServices, loadAs, secretsIn } from './deployment.ts';
import { textOf } from './repo.ts';

const CHART = 'infra/helm/gatehouse';
/** The least that Chart.yaml asks for. */
const OLDEST = /\d+\.\d+\.\d+/.exec(parse(textOf(`${CHART}/Chart.yaml`)).kubeVersion)![0];
/** Of those that bring kinds of their own, nobody but they have the schema. */
const BROUGHT_BY_OTHERS = new Set(['ServiceMonitor', 'PrometheusRule']);

const validator = process.env['KUBERNETES_VALIDATE'] ?? 'kubernetes-validate';
const hasSchemas = spawnSync(validator, ['--version']).status === 0;

/** What the schemas of that version of Kubernetes find wrong, fields that they do not know included; '' where they find nothing. */
function findings(manifests: readonly unknown[], version: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-manifests-'));
  try {
    const file = join(folder, 'manifests.yaml');
    writeFileSync(file, manifests.map((manifest) => JSON.stringify(manifest)).join('\n---\n'));
    const args = ['--strict', '--no-warn', '-k', version, file];
    const { status, stdout, stderr } = spawnSync(validator, args, { encoding: 'utf8' });
    return status === 0 ? '' : stdout + stderr;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// Helm renders where it is at hand, on PATH or at HELM. `.ci/run` brings it, and there nothing may skip itself.
describe.skipIf(!hasHelm).each(installations)('the chart as Helm renders it, %s', (way, sets) => {
  const manifests = hasHelm ? renderChart('gate', asFlags(sets)) : [];
  const pods = manifests.flatMap(({ metadata, spec }) =>
    spec?.template === undefined ? [] : [{ name: metadata.name, spec, pod: spec.template.spec }],
  );
  const containers = pods.flatMap(({ pod }) => pod.containers);
  const ofKind = (kind: string): Manifest[] => manifests.filter((it) => it.kind === kind);

  test('is well with the linter of Helm', () => {
    const { status, stdout } = runHelm('lint', [], ['--strict', ...asFlags(sets)]);
    expect(status, stdout).toBe(0);
  });

  describe.skipIf(!hasSchemas)('by the schemas of Kubernetes', () => {
    const known = manifests.filter(({ kind }) => !BROUGHT_BY_OTHERS.has(kind));

    test.each([OLDEST, KUBERNETES])('has nothing in it that %s does not know', (version) => {
      expect(known.length).toBeGreaterThan(20);
      expect(findings(known, version)).toBe('');
    });

    test('would be told of a misspelt field, and of a value that is none', () => {
      const [first] = ofKind('Deployment');
      expect(findings([{ ...first, spce: {} }], KUBERNETES)).toContain('spce');
      const spec = { ...first?.spec, replicas: 'two' };
      expect(findings([{ ...first, spec }], KUBERNETES)).toContain('replicas');
    });
  });

  test('names each thing once, and brings no Secret', () => {
    const names = manifests.map(({ kind, metadata }) => `${kind}/${metadata.name}`);
    expect(new Set(names).size).toBe(names.length);
    expect(ofKind('Secret')).toEqual([]);
  });

  test('has a budget and network rules for each service, which meet its pods', () => {
    for (const service of deployedServices)
      for (const kind of ['PodDisruptionBudget', 'NetworkPolicy', 'ConfigMap', 'Service'])
        expect(
          ofKind(kind).filter(({ metadata }) => metadata.name.endsWith(`-${service}`)),
        ).toHaveLength(1);
    for (const { metadata, spec } of [
      ...ofKind('PodDisruptionBudget'),
      ...ofKind('NetworkPolicy'),
    ]) {
      const selector = spec?.selector ?? spec?.podSelector;
      const met = pods.filter(({ spec: { template } }) =>
        selects(selector, template?.metadata.labels ?? {}),
      );
      const isForAll = metadata.name.endsWith('-none');
      expect([metadata.name, met.length]).toEqual([metadata.name, isForAll ? pods.length : 1]);
    }
  });

  test('is watched, where it is asked to be: by the alerts of this repo, with the token of every service', () => {
    const rules = ofKind('PrometheusRule').map(({ spec }) => spec);
    const asked = ofKind('ServiceMonitor').map(({ spec }) => spec);
    const tokens = containers.filter(({ env }) =>
      env.some(({ name }) => name === 'GATEHOUSE_METRICS_TOKEN_FILE'),
    );
    const watched = way !== 'as it comes';
    expect(rules).toEqual(watched ? [parse(textOf('infra/prometheus/alerts.yml'))] : []);
    const credentials = { name: 'gatehouse-metrics', key: 'token' };
    const endpoints = [{ authorization: { credentials } }];
    expect(asked).toMatchObject(watched ? [{ endpoints }] : []);
    const asking = tokens.map(({ args }) => String(args[1])).toSorted((a, b) => (a < b ? -1 : 1));
    expect(asking).toEqual(watched ? deployedServices.toSorted() : []);
  });

  test('starts two of every owner, and those of identity one after the other', () => {
    const owners = manifests.filter(
      ({ kind, metadata }) =>
        /^(?:Deployment|StatefulSet)$/.test(kind) && !metadata.name.endsWith('-gateway'),
    );
    expect(owners).toHaveLength(deployedServices.length - 1);
    for (const { spec } of owners) expect(spec?.replicas).toBe(2);
    // The first of all writes the first token, on a volume of its own that stays.
    expect(owners.filter(({ kind }) => kind === 'StatefulSet').map(({ spec }) => spec)).toEqual([
      expect.objectContaining({
        podManagementPolicy: 'OrderedReady',
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
        volumeClaimTemplates: [expect.objectContaining({ metadata: expect.anything() })],
      }),
    ]);
  });

  test('holds every pod to the same rules', () => {
    for (const { pod } of pods) {
      expect(pod.automountServiceAccountToken).toBe(false);
      expect(pod.enableServiceLinks).toBe(false);
      expect(pod.securityContext).toMatchObject({
        runAsNonRoot: true,
        runAsUser: 1000,
        seccompProfile: { type: 'RuntimeDefault' },
      });
    }
    for (const container of containers) {
      expect(container.securityContext).toEqual({
        readOnlyRootFilesystem: true,
        allowPrivilegeEscalation: false,
        capabilities: { drop: ['ALL'] },
      });
      expect(container.resources.limits.memory).toMatch(/^\d+Mi$/);
      expect(container.image).not.toMatch(/latest$/);
    }
  });

  test('asks whoever serves whether it lives and is ready', () => {
    const serving = containers.filter(({ args }) => args[0] === 'serve');
    expect(serving).toHaveLength(deployedServices.length);
    const at = (path: string): unknown =>
      expect.objectContaining({ httpGet: { path, port: 'http' } });
    for (const container of serving)
      expect(container).toMatchObject({
        startupProbe: at('/health/live'),
        livenessProbe: at('/health/live'),
        readinessProbe: at('/health/ready'),
      });
  });

  test('starts each container with a command that exists, on settings that suffice', () => {
    expect(pods).toHaveLength(deployedServices.length + 2);
    for (const container of containers) expectToStart(container);
  });

  test('mounts volumes that each pod has', () => {
    for (const { pod, spec } of pods) {
      const claims = (spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata.name);
      const has = [...pod.volumes.map(({ name }) => name), ...claims];
      for (const { volumeMounts } of pod.containers)
        for (const { name } of volumeMounts) expect(has).toContain(name);
    }
  });

  test('brings every file that a setting names', () => {
    for (const { pod } of pods) {
      const brought = pod.volumes
        .flatMap(({ projected }) => projected?.sources ?? [])
        .flatMap(({ secret }) => secret.items.map(({ path }) => `/secrets/${path}`));
      const named = pod.containers
        .flatMap(({ env }) => env.map(({ value }) => value))
        .filter((value) => value.startsWith('/secrets/'));
      expect(named.toSorted()).toEqual(brought.toSorted());
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

describe.skipIf(!hasHelm)('Helm refuses the chart', () => {
  test.each([
    ['a typo', 'gatewy.replicas=2'],
    ['a secret itself', 'secrets.roles.value=hunter2'],
    ['the newest image, whichever it is', 'image.tag=latest'],
    ['no gateway', 'gateway.replicas=0'],
    ['a broker without a port', 'bus.brokers={kafka}'],
  ])('with %s among its values', (_, set) => {
    const { status, stderr } = runHelm('template', ['gate'], ['--set', set]);
    expect(status).toBe(1);
    expect(stderr).toContain("values don't meet the specifications of the schema");
  });
});
