import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, freePort, startThrowAwayPostgres } from '@gatehouse/testing';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const COMMAND = join(ROOT, 'services/standalone/dist/command-line/main.js');
const SERVICES = ['policy', 'identity', 'registry', 'audit', 'admin', 'gateway'] as const;
type ClusterService = (typeof SERVICES)[number];

/** Every service as a process of its own, on one PostgreSQL and its bus, each by its own database role. */
export interface Cluster {
  readonly services: readonly ClusterService[];
  urlOf(service: ClusterService): string;
  start(service: ClusterService): Promise<void>;
  /** Resolves when the service says that it is ready. */
  ready(service: ClusterService): Promise<void>;
  stop(service: ClusterService, signal?: NodeJS.Signals): Promise<number | null>;
  /** What the service has logged so far. */
  logOf(service: ClusterService): string;
  /** Brings the database to head, as the operator does before the first start. */
  migrate(): Promise<string>;
  adminToken(): Promise<string>;
  dispose(): Promise<void>;
}

/** Prepares a cluster that nothing of runs yet. */
export async function prepareCluster(
  env: { readonly [name: string]: string } = {},
): Promise<Cluster> {
  const root = await mkdtemp(join(tmpdir(), 'gatehouse-cluster-'));
  const postgres = await startThrowAwayPostgres();
  const secret = async (name: string, text: string): Promise<string> => {
    const file = join(root, name);
    await writeFile(file, text, { mode: 0o600 });
    return file;
  };
  const password = await secret('role-password', 'only-in-this-test\n');
  const token = await secret('service-token', 'the-token-that-services-show-each-other\n');
  const ports = new Map<ClusterService, number>();
  for (const service of SERVICES) ports.set(service, await freePort());
  const urlOf = (service: ClusterService): string => `http://127.0.0.1:${ports.get(service)}`;
  const asRole = (role: string): string => {
    const url = new URL(postgres.url);
    url.username = role;
    url.password = '';
    return url.href;
  };
  const dataOf = (service: ClusterService): string => join(root, service);
  const base = { PATH: process.env['PATH'] ?? '', HOME: root, NO_COLOR: '1' };
  const environmentOf = (service: ClusterService): NodeJS.ProcessEnv => ({
    ...base,
    GATEHOUSE_DATA: dataOf(service),
    GATEHOUSE_PORT: String(ports.get(service)),
    GATEHOUSE_BUS_URL: asRole('gatehouse_bus'),
    GATEHOUSE_BUS_PASSWORD_FILE: password,
    GATEHOUSE_SERVICE_TOKEN_FILE: token,
    ...(service === 'gateway'
      ? {}
      : {
          GATEHOUSE_DATABASE_URL: asRole(`gatehouse_${service}`),
          GATEHOUSE_DATABASE_PASSWORD_FILE: password,
        }),
    ...(service === 'admin'
      ? {
          GATEHOUSE_IDENTITY_URL: urlOf('identity'),
          GATEHOUSE_POLICY_URL: urlOf('policy'),
          GATEHOUSE_REGISTRY_URL: urlOf('registry'),
          GATEHOUSE_AUDIT_URL: urlOf('audit'),
        }
      : {}),
    ...(service === 'audit'
      ? { GATEHOUSE_AUDIT_KEY_FILES: join(dataOf('gateway'), 'audit.key') }
      : {}),
    ...Object.fromEntries(
      Object.entries(env).filter(([name]) =>
        name.startsWith(`GATEHOUSE_${service.toUpperCase()}_`),
      ),
    ),
  });
  const running = new Map<ClusterService, ChildProcess>();
  const logs = new Map<ClusterService, string>();
  const stop: Cluster['stop'] = async (service, signal = 'SIGTERM') => {
    const child = running.get(service);
    running.delete(service);
    if (child === undefined) return null;
    if (child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill(signal);
      await ended;
    }
    return child.exitCode;
  };
  return {
    services: SERVICES,
    urlOf,
    async start(service) {
      const main = join(ROOT, 'services', service, 'dist/main.js');
      const child = spawn(process.execPath, [main], {
        env: environmentOf(service),
        cwd: root,
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      running.set(service, child);
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        logs.set(service, ((logs.get(service) ?? '') + text).slice(-50_000));
      });
    },
    async ready(service) {
      await eventually(
        async () => {
          const { status } = await fetch(`${urlOf(service)}/health/ready`);
          if (status !== 200)
            throw new Error(`${service} answers ${status}:\n${logs.get(service) ?? ''}`);
        },
        { timeoutMs: 40_000, everyMs: 50 },
      );
    },
    stop,
    logOf: (service) => logs.get(service) ?? '',
    async migrate() {
      const child = spawn(process.execPath, [COMMAND, 'migrate'], {
        env: { ...base, GATEHOUSE_OWNER_URL: postgres.url, GATEHOUSE_ROLE_PASSWORD_FILE: password },
        cwd: root,
      });
      let output = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => (output += text));
      await once(child, 'close');
      if (child.exitCode !== 0) throw new Error(output);
      return output;
    },
    adminToken: async () =>
      (await readFile(join(dataOf('identity'), 'admin-token'), 'utf8')).trim(),
    async dispose() {
      for (const service of SERVICES) await stop(service, 'SIGKILL');
      await postgres.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}
