import {
  startThrowAwayKafka,
  type ThrowAwayKafka,
  type ThrowAwayPostgresOptions,
} from '@gatehouse/testing';
import { prepareCluster, type Cluster } from './cluster.ts';
import { startProxy, type Proxy } from './proxy.ts';
import { installation, runCommand, type CommandResult } from './gatehouse-process.ts';

/** What runs behind the public doors: one process; or a process of its own for each service, on one bus or the other. */
export type Form =
  | { readonly kind: 'standalone' }
  | {
      readonly kind: 'cluster';
      readonly bus: 'postgres' | 'kafka';
      readonly gateways: 1 | 2 | 4;
      /** Behind the proxy of docker-compose.yml: `url` and `apiUrl` are its door then. Needs two gateways, and Caddy. */
      readonly door?: 'proxy';
      readonly postgres?: ThrowAwayPostgresOptions;
    };

/** Gatehouse as those outside know it. A journey that uses nothing else runs unchanged against every form. */
export interface Gatehouse {
  /** Where MCP is spoken: by the first gateway, where there are several. */
  readonly url: string;
  /** Every gateway. */
  readonly gateUrls: readonly string[];
  /** The process of each. */
  readonly gatePids: readonly number[];
  /** Where GraphQL is spoken. */
  readonly apiUrl: string;
  adminToken(): Promise<string>;
  /** The database as its owner, for what no public door shows. */
  databaseUrl(): Promise<string>;
  /** The bus as its owner: the brokers, or that database where it is a log there. */
  busUrl(): Promise<string>;
  /** Every folder that anything of it writes to, what it stands on included, by what lies there. */
  readonly folders: Readonly<Record<string, string>>;
  /** All that any process of it has printed so far. */
  readonly printed: string;
  /** Runs the command line against it, as its administrator would. */
  run(...args: string[]): Promise<CommandResult>;
  /** SIGKILL to a process that answers MCP calls, by its place among `gateUrls`. */
  kill(gate?: number): Promise<void>;
  /** Brings back what was killed, and resolves when it is ready. */
  start(gate?: number): Promise<void>;
  /** Tells every process to end and answers how each did; then ends what they stand on. The folders stay. */
  end(): Promise<readonly (number | null)[]>;
  dispose(): Promise<void>;
}

type Settings = Readonly<Record<string, string>>;

/** The form that the lane at hand is about. Most journeys stay with one gateway: a second would only take the machine's time. */
export function formOfThisLane(gateways: 1 | 2 = 1): Form {
  if (process.env['E2E_FORM'] !== 'cluster') return { kind: 'standalone' };
  const bus = process.env['E2E_BUS'] === 'kafka' ? 'kafka' : 'postgres';
  return { kind: 'cluster', bus, gateways };
}

/** Starts Gatehouse from nothing. */
export function startGatehouse(form: Form, env: Settings): Promise<Gatehouse> {
  return form.kind === 'cluster' ? startCluster(form, env) : startStandalone(env);
}

async function startStandalone(env: Settings): Promise<Gatehouse> {
  const place = await installation(env);
  try {
    await place.start();
    return {
      // Another after each start.
      get url() {
        return place.url;
      },
      get gateUrls() {
        return [place.url];
      },
      get gatePids() {
        return [place.pid];
      },
      get apiUrl() {
        return place.url;
      },
      adminToken: () => place.adminToken(),
      databaseUrl: () => place.databaseUrl(),
      busUrl: () => place.databaseUrl(),
      folders: { gatehouse: place.folder },
      get printed() {
        return place.printed;
      },
      run: (...args) => place.run(...args),
      kill: () => place.kill(),
      start: () => place.start(),
      end: async () => [await place.stop('SIGTERM')],
      dispose: () => place.dispose(),
    };
  } catch (error) {
    await place.dispose();
    throw error;
  }
}

async function startCluster(
  { bus, gateways, door, postgres }: Extract<Form, { kind: 'cluster' }>,
  env: Settings,
): Promise<Gatehouse> {
  let kafka: ThrowAwayKafka | undefined;
  let cluster: Cluster | undefined;
  let proxy: Proxy | undefined;
  const dispose = async (): Promise<void> => {
    await proxy?.stop();
    await cluster?.dispose();
    await kafka?.stop();
  };
  try {
    if (bus === 'kafka') kafka = await startThrowAwayKafka();
    cluster = await prepareCluster(env, {
      ...(kafka && { busUrl: `kafka://${kafka.bootstrap}` }),
      ...(postgres && { postgres }),
    });
    if (kafka !== undefined) await cluster.applyTopics();
    await cluster.migrate();
    const others = cluster.services.filter((name) => !isGateway(name));
    const gates = Array.from({ length: gateways }, (_, index) => `gateway-${index + 1}`);
    for (const service of [...others, ...gates]) await cluster.start(service);
    for (const service of [...others, ...gates]) await cluster.ready(service);
    if (door === 'proxy') proxy = await startProxy(cluster.urlOf);
    return asGatehouse({ cluster, gates, kafka, door: proxy?.url, dispose });
  } catch (error) {
    await dispose();
    throw error;
  }
}

const isGateway = (service: string): boolean => service.startsWith('gateway');

interface RunningCluster extends Pick<Gatehouse, 'dispose'> {
  readonly cluster: Cluster;
  readonly gates: readonly string[];
  readonly kafka: ThrowAwayKafka | undefined;
  readonly door: string | undefined;
}

function asGatehouse({ cluster, gates, kafka, door, dispose }: RunningCluster): Gatehouse {
  const gateOf = (place = 0): string => gates[place] ?? 'gateway';
  const apiUrl = door ?? cluster.urlOf('admin');
  return {
    url: door ?? cluster.urlOf(gateOf()),
    gateUrls: gates.map((name) => cluster.urlOf(name)),
    get gatePids() {
      return gates.map((name) => cluster.pidOf(name));
    },
    apiUrl,
    adminToken: () => cluster.adminToken(),
    databaseUrl: async () => cluster.databaseUrl,
    busUrl: async () => (kafka ? `kafka://${kafka.bootstrap}` : cluster.databaseUrl),
    folders: {
      gatehouse: cluster.folder,
      postgres: cluster.postgres.folder,
      ...(kafka && { kafka: kafka.folder }),
    },
    get printed() {
      return cluster.printed;
    },
    async run(...args) {
      const token = await cluster.adminToken();
      const env = { PATH: process.env['PATH'], NO_COLOR: '1', GATEHOUSE_TOKEN: token };
      return runCommand([...args, '--url', apiUrl], env, process.cwd());
    },
    async kill(gate) {
      await cluster.stop(gateOf(gate), 'SIGKILL');
    },
    async start(gate) {
      await cluster.start(gateOf(gate));
      await cluster.ready(gateOf(gate));
    },
    async end() {
      const running = [...cluster.services.filter((name) => !isGateway(name)), ...gates];
      const codes = await Promise.all(running.map((name) => cluster.stop(name)));
      await cluster.postgres.stopImmediately();
      await kafka?.kill();
      return codes;
    },
    dispose,
  };
}
