import { startThrowAwayKafka, type ThrowAwayKafka } from '@gatehouse/testing';
import { prepareCluster, type Cluster } from './cluster.ts';
import { installation, runCommand, type CommandResult } from './gatehouse-process.ts';

/** What runs behind the public doors: one process; or a process of its own for each service, on one bus or the other. */
export type Form =
  | { readonly kind: 'standalone' }
  | { readonly kind: 'cluster'; readonly bus: 'postgres' | 'kafka'; readonly gateways: 1 | 2 | 4 };

/** Gatehouse as those outside know it. A journey that uses nothing else runs unchanged against every form. */
export interface Gatehouse {
  /** Where MCP is spoken: by the first gateway, where there are several. */
  readonly url: string;
  /** Every gateway. */
  readonly gateUrls: readonly string[];
  /** Where GraphQL is spoken. */
  readonly apiUrl: string;
  adminToken(): Promise<string>;
  /** Runs the command line against it, as its administrator would. */
  run(...args: string[]): Promise<CommandResult>;
  /** SIGKILL to the process that answers MCP calls at `url`. */
  kill(): Promise<void>;
  /** Brings back what was killed, and resolves when it is ready. */
  start(): Promise<void>;
  dispose(): Promise<void>;
}

type Settings = Readonly<Record<string, string>>;

/** The form that the lane at hand is about. Journeys stay with one gateway: a second would only take the machine's time. */
export function formOfThisLane(): Form {
  if (process.env['E2E_FORM'] !== 'cluster') return { kind: 'standalone' };
  const bus = process.env['E2E_BUS'] === 'kafka' ? 'kafka' : 'postgres';
  return { kind: 'cluster', bus, gateways: 1 };
}

/** Starts Gatehouse from nothing. */
export function startGatehouse(form: Form, env: Settings): Promise<Gatehouse> {
  return form.kind === 'cluster' ? startCluster(form, env) : startStandalone(env);
}

async function startStandalone(env: Settings): Promise<Gatehouse> {
  const place = await installation(env);
  try {
    await place.start();
    return place;
  } catch (error) {
    await place.dispose();
    throw error;
  }
}

async function startCluster(
  { bus, gateways }: Extract<Form, { kind: 'cluster' }>,
  env: Settings,
): Promise<Gatehouse> {
  let kafka: ThrowAwayKafka | undefined;
  let cluster: Cluster | undefined;
  const dispose = async (): Promise<void> => {
    await cluster?.dispose();
    await kafka?.stop();
  };
  try {
    if (bus === 'kafka') kafka = await startThrowAwayKafka();
    cluster = await prepareCluster(env, kafka && { busUrl: `kafka://${kafka.bootstrap}` });
    if (kafka !== undefined) await cluster.applyTopics();
    await cluster.migrate();
    const others = cluster.services.filter((name) => !isGateway(name));
    const gates = Array.from({ length: gateways }, (_, index) => `gateway-${index + 1}`);
    for (const service of [...others, ...gates]) await cluster.start(service);
    for (const service of [...others, ...gates]) await cluster.ready(service);
    return asGatehouse(cluster, gates, dispose);
  } catch (error) {
    await dispose();
    throw error;
  }
}

const isGateway = (service: string): boolean => service.startsWith('gateway');

function asGatehouse(
  cluster: Cluster,
  gates: readonly string[],
  dispose: () => Promise<void>,
): Gatehouse {
  const first = gates[0] ?? 'gateway';
  const apiUrl = cluster.urlOf('admin');
  return {
    url: cluster.urlOf(first),
    gateUrls: gates.map((name) => cluster.urlOf(name)),
    apiUrl,
    adminToken: () => cluster.adminToken(),
    async run(...args) {
      const token = await cluster.adminToken();
      const env = { PATH: process.env['PATH'], NO_COLOR: '1', GATEHOUSE_TOKEN: token };
      return runCommand([...args, '--url', apiUrl], env, process.cwd());
    },
    async kill() {
      await cluster.stop(first, 'SIGKILL');
    },
    async start() {
      await cluster.start(first);
      await cluster.ready(first);
    },
    dispose,
  };
}
