import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  freePort,
  startThrowAwayPostgres,
  type ThrowAwayPostgres,
  type ThrowAwayPostgresOptions,
} from '@gatehouse/testing';
import { readComposeFile, secretsOf, type ComposeService } from './compose-file.ts';
import { LocalProcesses, type ProcessDescription } from './local-processes.ts';
import { makeSecrets } from './make-secrets.ts';

const { services: written } = readComposeFile('docker-compose.yml');
// Two gateways are written down, and one of each other service; a further one is what the last of them is, with a port and a folder
// of its own.
const OTHERS = ['identity', 'policy', 'registry', 'audit', 'admin'] as const;
const further = [
  ...[3, 4].map((number) => [`gateway-${number}`, written['gateway-2']!] as const),
  ...OTHERS.map((name) => [`${name}-2`, written[name]!] as const),
];
/** The second of one speaks to the second of another. */
const SECONDS: ReadonlySet<string> = new Set(OTHERS.map((name) => `${name}-2`));
const composed: Readonly<Record<string, ComposeService>> = {
  ...written,
  ...Object.fromEntries(further),
};
const SERVICES = Object.keys(composed).filter((name) => composed[name]?.command?.[0] === 'serve');

export interface ClusterOptions {
  /** The bus, for all or for each process; without it a log in the PostgreSQL of the cluster. */
  readonly busUrl?: string | ((service: string) => string);
  /** Where the database lies, and its settings. */
  readonly postgres?: ThrowAwayPostgresOptions;
  /** The command `gatehouse`; without it the one of this checkout. */
  readonly gatehouse?: string;
}

/**
 * The cluster of docker-compose.yml as local processes: its commands, its environment, its secrets. What differs is only
 * what a container would bring: hosts and ports are on the loopback, and folders are in a temporary one.
 */
export interface Cluster {
  /** The services that serve, by their names in docker-compose.yml. `gateway` stands for the first gateway. */
  readonly services: readonly string[];
  /** The database as its owner. */
  readonly databaseUrl: string;
  /** The database server itself, for whoever breaks it and brings it back. */
  readonly postgres: Pick<ThrowAwayPostgres, 'stopImmediately' | 'restart' | 'folder'>;
  /** What holds the folders of all services, and the secrets. */
  readonly folder: string;
  /** All that any of its processes has printed. */
  readonly printed: string;
  urlOf(service: string): string;
  /** The folder of a service: its spool, its keys. */
  dataOf(service: string): string;
  start(service: string): Promise<void>;
  /** Resolves when the service says that it is ready. */
  ready(service: string): Promise<void>;
  /** Runs the health check of docker-compose.yml; true when it finds the service healthy. */
  healthy(service: string): Promise<boolean>;
  stop(service: string, signal?: NodeJS.Signals): Promise<number | null>;
  /** Throws where the service does not run. */
  pidOf(service: string): number;
  /** What the service has logged so far. */
  logOf(service: string): string;
  /** Brings the database to head, as `migrate` does before the first start; or with further options. */
  migrate(...options: readonly string[]): Promise<string>;
  /** Makes the topics of a Kafka bus, as `topics` does before the first start. */
  applyTopics(): Promise<string>;
  /** Folds the read tables of a service anew; it must be stopped. */
  rebuild(service: string): Promise<string>;
  adminToken(): Promise<string>;
  /** What services show each other. */
  serviceToken(): Promise<string>;
  /** What `/metrics` must be asked with. */
  metricsToken(): Promise<string>;
  dispose(): Promise<void>;
}

/** Prepares a cluster that nothing of runs yet. `env` holds further settings, each for the service that its name says. */
export async function prepareCluster(
  env: Readonly<Record<string, string>> = {},
  options: ClusterOptions = {},
): Promise<Cluster> {
  const root = await mkdtemp(join(tmpdir(), 'gatehouse-cluster-'));
  const postgres = await startThrowAwayPostgres(options.postgres);
  const place = await placeFor(root, postgres.url, options);
  const processes = new LocalProcesses(root, options.gatehouse);
  const describe = async (
    name: string,
    args = serviceOf(name).command ?? [],
  ): Promise<ProcessDescription> => {
    const service = serviceOf(name);
    await mkdir(place.dataOf(name), { recursive: true });
    await place.mountSecrets(name);
    const prefixes = [`GATEHOUSE_${(service.command?.[1] ?? name).toUpperCase()}_`];
    // What every process that serves may be told.
    if (service.command?.[0] === 'serve')
      prefixes.push('GATEHOUSE_TRACING_', 'GATEHOUSE_LOG_LEVEL', 'GATEHOUSE_CONFIG');
    const own = Object.entries(env).filter(([variable]) =>
      prefixes.some((prefix) => variable.startsWith(prefix)),
    );
    return { args, env: { ...place.environmentOf(name), ...Object.fromEntries(own) } };
  };
  const runOnce = async (name: string, args?: readonly string[]): Promise<string> =>
    processes.runOnce(await describe(name, args));
  return {
    services: SERVICES.filter((name) => name in written),
    databaseUrl: postgres.url,
    postgres,
    folder: root,
    get printed() {
      return processes.printed;
    },
    urlOf: (service) => place.urlOf(nameOf(service)),
    dataOf: (service) => place.dataOf(nameOf(service)),
    async start(service) {
      const name = nameOf(service);
      processes.start(name, await describe(name));
    },
    async ready(service) {
      const name = nameOf(service);
      await processes.answers(name, `${place.urlOf(name)}/health/ready`);
    },
    async healthy(service) {
      const [, , ...script] = serviceOf(nameOf(service)).healthcheck?.test ?? [];
      const args = script.map((part) => place.local(nameOf(service), part));
      const child = spawn(process.execPath, args, { env: processes.environment, stdio: 'ignore' });
      await once(child, 'close');
      return child.exitCode === 0;
    },
    stop: (service, signal) => processes.stop(nameOf(service), signal),
    pidOf: (service) => processes.pidOf(nameOf(service)),
    logOf: (service) => processes.logOf(nameOf(service)),
    migrate: (...options) => runOnce('migrate', ['migrate', ...options]),
    applyTopics: () => runOnce('topics'),
    rebuild: (service) => runOnce(service, ['rebuild', service]),
    adminToken: async () =>
      (await readFile(join(place.dataOf('identity'), 'admin-token'), 'utf8')).trim(),
    metricsToken: () => readFile(join(root, 'secrets', 'metrics-token'), 'utf8'),
    serviceToken: async () =>
      (await readFile(place.local('identity', '/run/secrets/service-token'), 'utf8')).trim(),
    async dispose() {
      await processes.killAll();
      await postgres.stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}

function nameOf(service: string): string {
  return service === 'gateway' ? 'gateway-1' : service;
}

function serviceOf(name: string): ComposeService {
  const service = composed[name];
  if (service === undefined) throw new Error(`docker-compose.yml has no service ${name}`);
  return service;
}

/** Where on this machine lies what a container would have of its own. */
interface Place {
  urlOf(name: string): string;
  dataOf(name: string): string;
  environmentOf(name: string): Record<string, string>;
  /** A text of docker-compose.yml, with the addresses and paths of this machine. */
  local(name: string, text: string): string;
  /** Puts those secrets in place that a container sees elsewhere than at /run/secrets. */
  mountSecrets(name: string): Promise<void>;
}

async function placeFor(
  root: string,
  ownerUrl: string,
  { busUrl }: ClusterOptions,
): Promise<Place> {
  const owner = new URL(ownerUrl);
  const secrets = join(root, 'secrets');
  // The image of PostgreSQL makes the owner with this password; here the owner is there, and the file follows.
  await makeSecrets(secrets, decodeURIComponent(owner.password));
  const ports = new Map<string, number>();
  for (const name of SERVICES) ports.set(name, await freePort());

  const urlOf = (name: string): string => `http://127.0.0.1:${ports.get(name)}`;
  const dataOf = (name: string): string => join(root, name);
  const asRole = (role: string): string =>
    `postgres://${role}@${owner.hostname}:${owner.port}${owner.pathname}`;
  const local = (name: string, text: string): string => {
    const database = /^postgres:\/\/(\w+)@postgres:5432\/gatehouse$/.exec(text)?.[1];
    if (database !== undefined) return asRole(database === 'gatehouse' ? owner.username : database);
    return text
      .replace(/^http:\/\/([\w-]+):8080$/, (_, other: string) =>
        urlOf(SECONDS.has(name) ? `${other}-2` : other),
      )
      .replace('http://127.0.0.1:8080', urlOf(name))
      .replace(/^0\.0\.0\.0$/, '127.0.0.1')
      .replace(/^8080$/, String(ports.get(name)))
      .replace(/^\/data\b/, dataOf(name))
      .replaceAll('/run/secrets', secrets);
  };
  const bus = (name: string): Record<string, string> =>
    busUrl === undefined
      ? {
          GATEHOUSE_BUS_URL: asRole('gatehouse_bus'),
          GATEHOUSE_BUS_PASSWORD_FILE: join(secrets, 'role-password'),
        }
      : { GATEHOUSE_BUS_URL: typeof busUrl === 'string' ? busUrl : busUrl(name) };
  return {
    urlOf,
    dataOf,
    local,
    environmentOf(name) {
      const environment = Object.entries(serviceOf(name).environment ?? {}).map(
        ([variable, value]) => [variable, local(name, value)] as const,
      );
      const mapped = Object.fromEntries(environment);
      return 'GATEHOUSE_BUS_URL' in mapped ? { ...mapped, ...bus(name) } : mapped;
    },
    async mountSecrets(name) {
      for (const [secret, target] of secretsOf(serviceOf(name))) {
        if (target.startsWith('/run/secrets/')) continue;
        await symlink(join(secrets, secret), local(name, target)).catch(ignoreExisting);
      }
    },
  };
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error;
}
