import { Administrator } from '@gatehouse/standalone';
import {
  eventually,
  startThrowAwayKafka,
  type ThrowAwayKafka,
  type ThrowAwayKafkaOptions,
  type ThrowAwayPostgresOptions,
} from '@gatehouse/testing';
import { prepareCluster, type Cluster } from '../journeys/harness/cluster.ts';
import { RecordedAdministrator, type MadePrincipal } from './administrator.ts';
import { Caller, type Gate } from './caller.ts';
import { History, type Fault } from './history.ts';
import { seeded, type Random } from './random.ts';
import { startRecordingServer, type RecordingServer } from './recording-server.ts';

/** Two slugs of one recording server: what is `steady` is never suspended, what is `shaky` is. */
export const STEADY = 'steady';
export const SHAKY = 'shaky';
/** Roles: `writer` and `reader` never change; what `worker` may do at `steady` does, between reading and writing. */
export const ROLES = {
  writer: { [STEADY]: 'WRITE', [SHAKY]: 'WRITE' },
  reader: { [STEADY]: 'READ', [SHAKY]: 'READ' },
  worker: { [STEADY]: 'WRITE', [SHAKY]: 'WRITE' },
} as const;

export interface StageOptions {
  readonly seed: number;
  /** The bus as a service reaches it; all reach the broker directly where nothing is said. */
  readonly busUrlOf?: (service: string, kafka: ThrowAwayKafka) => string;
  /** Settings, each for the service that its name says. */
  readonly env?: Readonly<Record<string, string>>;
  /** Which gateways start with the others; a further one may come later. Both by default. */
  readonly nodes?: readonly string[];
  readonly kafka?: ThrowAwayKafkaOptions;
  readonly postgres?: ThrowAwayPostgresOptions;
  /** Prepares what the services are to find when they start; answers how that is taken away again. */
  readonly beforeStart?: (cluster: Cluster) => Promise<() => Promise<void>>;
}

/** Whom a fault may hold up: nobody where nothing is said. */
interface Scope {
  /** Gates that hear nothing of the bus meanwhile. */
  readonly blinds?: readonly string[];
  /** Services that may tell or hear things late meanwhile, besides those. */
  readonly hits?: readonly string[];
}

/** A cluster on real Kafka and PostgreSQL with a server behind its gates, and all that was ever asked of it. */
export interface Stage {
  readonly seed: number;
  readonly random: Random;
  readonly history: History;
  readonly kafka: ThrowAwayKafka;
  readonly cluster: Cluster;
  readonly admin: RecordedAdministrator;
  readonly upstream: RecordingServer;
  /** The gates that calls go to. */
  readonly gates: readonly Gate[];
  /** Agents that nobody takes anything from: one writes, one reads, and one is a `worker`, whose role is narrowed and widened. */
  readonly steady: readonly MadePrincipal[];
  caller(agent: MadePrincipal, gate: Gate): Caller;
  /** Records what happens within as a fault. */
  fault(what: string, scope: Scope, broken: (fault: Fault) => Promise<void>): Promise<void>;
  /** SIGKILL to a service, and after a while up again and ready. */
  crash(service: string, downMs: number): Promise<void>;
  dispose(): Promise<void>;
}

export async function startStage(options: StageOptions): Promise<Stage> {
  const history = new History(options.seed);
  const disposals: (() => Promise<unknown>)[] = [];
  const dispose = async (): Promise<void> => {
    for (const end of disposals.splice(0).toReversed()) await end();
    history.dispose();
  };
  try {
    const upstream = await startRecordingServer();
    disposals.push(() => upstream.stop());
    const kafka = await startThrowAwayKafka(options.kafka);
    disposals.push(() => kafka.stop());
    const cluster = await startCluster(options, kafka, disposals);
    const token = await eventually(() => cluster.adminToken(), { timeoutMs: 20_000 });
    const admin = new RecordedAdministrator(() => cluster.urlOf('admin'), token, history);
    const steady = await furnish(cluster, token, admin, upstream);
    const gates = cluster.services
      .filter((name) => name.startsWith('gateway'))
      .map((node) => ({ node, url: cluster.urlOf(node) }));
    const stage: Stage = {
      seed: options.seed,
      random: seeded(options.seed),
      history,
      kafka,
      cluster,
      admin,
      upstream,
      gates,
      steady,
      caller: (agent, gate) => new Caller(agent, gate, history),
      async fault(what, { blinds = [], hits = [] }, broken) {
        const scope = { hits: [...blinds, ...hits], blinded: blinds };
        const fault = history.fault({ kind: 'fault', what, ...scope });
        await broken(fault);
        history.end(fault);
      },
      async crash(service, downMs) {
        await stage.fault(`${service} killed`, { hits: [service] }, async (fault) => {
          await cluster.stop(service, 'SIGKILL');
          fault.ended = { service, at: Date.now() };
          await new Promise((resolve) => setTimeout(resolve, downMs));
          await cluster.start(service);
          await cluster.ready(service);
        });
      },
      dispose,
    };
    const nodes = options.nodes ?? gates.map(({ node }) => node);
    await untilLetIn(
      stage,
      gates.filter(({ node }) => nodes.includes(node)),
    );
    return stage;
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function startCluster(
  { busUrlOf, env, nodes, postgres, beforeStart }: StageOptions,
  kafka: ThrowAwayKafka,
  disposals: (() => Promise<unknown>)[],
): Promise<Cluster> {
  const direct = `kafka://${kafka.bootstrap}`;
  const cluster = await prepareCluster(env, {
    busUrl: (service) => busUrlOf?.(service, kafka) ?? direct,
    ...(postgres && { postgres }),
  });
  disposals.push(() => cluster.dispose());
  await cluster.applyTopics();
  await cluster.migrate();
  if (beforeStart !== undefined) disposals.push(await beforeStart(cluster));
  const services = cluster.services.filter(
    (name) => !name.startsWith('gateway') || nodes === undefined || nodes.includes(name),
  );
  for (const service of services) await cluster.start(service);
  for (const service of services) await cluster.ready(service);
  return cluster;
}

/** Approves the server under both slugs, writes the roles, and makes those who keep their rights. */
async function furnish(
  cluster: Cluster,
  token: string,
  admin: RecordedAdministrator,
  upstream: RecordingServer,
): Promise<readonly MadePrincipal[]> {
  const intake = new Administrator(cluster.urlOf('admin'), token);
  for (const slug of [STEADY, SHAKY]) {
    await intake.submit(slug, slug, { streamableHttp: { url: upstream.url } });
    await intake.approve(slug, await intake.classify(slug, 'look', 'READ'));
  }
  for (const [role, modes] of Object.entries(ROLES)) await admin.defineRole(role, modes);
  const made = [
    await admin.create('AGENT', 'steady-writer', 'writer'),
    await admin.create('AGENT', 'steady-reader', 'reader'),
    await admin.create('AGENT', 'steady-worker', 'worker'),
  ];
  return made.map((agent) => {
    if (agent === undefined) throw new Error('an agent could not be made before anything broke');
    return agent;
  });
}

/** What was just granted reaches a gate a moment later. */
async function untilLetIn(stage: Stage, gates: readonly Gate[]): Promise<void> {
  for (const gate of gates) {
    for (const agent of stage.steady) {
      const caller = stage.caller(agent, gate);
      await eventually(
        async () => {
          const { outcome } = await caller.call(SHAKY, 'look', 'read');
          if (outcome.kind !== 'ok') throw new Error(`${gate.node}: ${JSON.stringify(outcome)}`);
        },
        { timeoutMs: 20_000, everyMs: 100 },
      );
      caller.close();
    }
  }
}
