import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from '@gatehouse/testing';
import { LocalPod, type Surroundings } from './local-pod.ts';
import { LocalProcesses, type ProcessDescription } from '../local-processes.ts';
import { makeSecrets } from '../make-secrets.ts';
import { meets } from './network-rules.ts';
import {
  renderChart,
  type IngressSpec,
  type Manifest,
  type ServiceSpec,
} from './rendered-chart.ts';
import { seesWrites, tracingWrites, writesIn } from './written-files.ts';

const README = fileURLToPath(
  new URL('../../../../infra/helm/gatehouse/README.md', import.meta.url),
);

/** What the chart makes of one installation, as processes on this machine. */
export interface ChartRelease {
  readonly manifests: readonly Manifest[];
  /** The hooks that come before an installation, in their order. */
  readonly jobs: readonly LocalPod[];
  /** Whoever serves. */
  readonly pods: readonly LocalPod[];
  readonly processes: LocalProcesses;
  /** Runs a hook to its end, and answers what it printed. */
  run(job: LocalPod): Promise<string>;
  start(pod: LocalPod): Promise<void>;
  podOf(service: string, index?: number): LocalPod;
  /** The pods that the Ingress leads a path to; none where it leads nowhere. */
  behindIngress(path: string): readonly LocalPod[];
  secret(name: string, key: string): Promise<Buffer>;
  /** What a pod has written, by path, since it came to be; nothing where nobody can look (`seesWrites`). */
  written(pod: LocalPod): Promise<readonly string[]>;
  dispose(): Promise<void>;
}

/** How the chart is installed. */
interface Installation {
  readonly name: string;
  readonly flags: readonly string[];
  readonly ownerPassword: string;
  /** The files of those Secrets that the README leaves to whoever installs, by their keys. */
  readonly ownSecrets: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** How many pods there are of a service; one where nothing is said. */
  readonly howMany: Readonly<Record<string, number>>;
}

/** Renders the chart and makes ready what its pods will find; nothing runs yet. */
export async function prepareRelease({
  name,
  flags,
  ownerPassword,
  ownSecrets,
  howMany,
}: Installation): Promise<ChartRelease> {
  const manifests = renderChart(name, flags);
  const root = await mkdtemp(join(tmpdir(), 'gatehouse-chart-'));
  const secretsFolder = join(root, 'secrets');
  const home = join(root, 'home');
  await makeSecrets(secretsFolder, ownerPassword);
  await mkdir(home);
  await mkdir(join(root, 'traces'));
  const processes = new LocalProcesses(home);
  const pod = async (podName: string, { spec }: Manifest): Promise<LocalPod> =>
    new LocalPod(podName, spec!.template!, join(root, podName), await freePort());
  const jobs = await Promise.all(
    hooksOf(manifests).map((manifest) => pod(manifest.metadata.name, manifest)),
  );
  const pods = await Promise.all(
    manifests.filter(isServing).flatMap((manifest) => {
      const service = manifest.spec!.template!.spec.containers[0]!.name;
      return Array.from({ length: howMany[service] ?? 1 }, (_, index) =>
        pod(`${manifest.metadata.name}-${index}`, manifest),
      );
    }),
  );
  const surroundings: Surroundings = {
    secret: (secret, key) =>
      readFile(ownSecrets[secret]?.[key] ?? join(secretsFolder, fileOfSecret(secret, key))),
    configMap: (asked) => named(manifests, 'ConfigMap', asked).data ?? {},
    addressOf: (service, port) => leadsTo(manifests, pods, service, port)[0]!.url,
  };
  const traces = (its: LocalPod): string => join(root, 'traces', its.name);
  const described = (its: LocalPod): ProcessDescription => ({
    ...its.describe(surroundings),
    through: seesWrites ? tracingWrites(traces(its)) : [],
  });
  return {
    manifests,
    jobs,
    pods,
    processes,
    async run(job) {
      await job.mount(surroundings);
      return processes.runOnce(described(job));
    },
    async start(started) {
      await started.mount(surroundings);
      processes.start(started.name, described(started));
    },
    podOf(service, index = 0) {
      const found = pods.filter(({ container }) => container.name === service)[index];
      if (found === undefined) throw new Error(`there is no pod ${index} of ${service}`);
      return found;
    },
    behindIngress: (path) => behindIngress(manifests, pods, path),
    secret: surroundings.secret,
    written: (its) => writesIn(traces(its), home),
    async dispose() {
      await processes.killAll();
      await rm(root, { recursive: true, force: true });
    },
  };
}

function isServing({ kind }: Manifest): boolean {
  return kind === 'Deployment' || kind === 'StatefulSet';
}

/** Helm runs them by weight, and by name where they weigh the same. */
function hooksOf(manifests: readonly Manifest[]): readonly Manifest[] {
  const weight = ({ metadata }: Manifest): number =>
    Number(metadata.annotations?.['helm.sh/hook-weight'] ?? 0);
  return manifests
    .filter(({ metadata }) => metadata.annotations?.['helm.sh/hook']?.includes('pre-install'))
    .toSorted(
      (a, b) => weight(a) - weight(b) || a.metadata.name.localeCompare(b.metadata.name, 'en'),
    );
}

function named(manifests: readonly Manifest[], kind: string, name: string): Manifest {
  const found = manifests.find((each) => each.kind === kind && each.metadata.name === name);
  if (found === undefined) throw new Error(`the chart has no ${kind} ${name}`);
  return found;
}

/** The pods that a Service selects, by the name that the port has with them. */
function leadsTo(
  manifests: readonly Manifest[],
  pods: readonly LocalPod[],
  service: string,
  port: number | string,
): readonly LocalPod[] {
  const { ports, selector } = named(manifests, 'Service', service).spec as unknown as ServiceSpec;
  const target = ports.find((its) => its.port === port || its.name === port)?.targetPort;
  const led = pods.filter(
    ({ labels, container }) =>
      meets(labels, selector) && container.ports?.some(({ name }) => name === target),
  );
  if (led.length === 0) throw new Error(`${service}:${port} leads to no pod`);
  return led;
}

function behindIngress(
  manifests: readonly Manifest[],
  pods: readonly LocalPod[],
  asked: string,
): readonly LocalPod[] {
  const found = manifests
    .filter(({ kind }) => kind === 'Ingress')
    .flatMap(({ spec }) => (spec as unknown as IngressSpec).rules)
    .flatMap(({ http }) => http.paths)
    .find(
      ({ path, pathType }) =>
        asked === path || (pathType === 'Prefix' && asked.startsWith(`${path}/`)),
    );
  if (found === undefined) return [];
  const { name, port } = found.backend.service;
  return leadsTo(manifests, pods, name, port.name);
}

/** Which file of make-secrets.sh is in a Secret, by the very commands that the chart's README tells to type. */
function fileOfSecret(secret: string, key: string): string {
  const found = toldSecrets().find(
    (line) => line.includes(` generic ${secret} `) && line.includes(`--from-file=${key}=`),
  );
  const file = /=secrets\/([\w-]+)/.exec(found ?? '')?.[1];
  if (file === undefined) throw new Error(`the README makes no Secret ${secret} with ${key}`);
  return file;
}

let told: readonly string[] | undefined;

function toldSecrets(): readonly string[] {
  if (told !== undefined) return told;
  const readme = readFileSync(README, 'utf8');
  const blocks = [...readme.matchAll(/^```\n([\s\S]*?)^```/gm)].map(([, block = '']) => block);
  const [typed = ''] =
    blocks.find((block) => block.includes('helm install'))?.split('helm install') ?? [];
  const further = [...readme.matchAll(/`(kubectl -n \S+ create secret [^`]+)`/g)].map(
    ([, command = '']) => command,
  );
  const commands = [...typed.split('\n').filter((line) => !line.startsWith('sh ')), ...further];
  const script = [`kubectl() { printf '%s\\n' "$*"; }`, ...commands].join('\n');
  const { stdout, status, stderr } = spawnSync('sh', ['-euc', script], { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  told = stdout.split('\n');
  return told;
}
