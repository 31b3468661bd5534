import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './free-port.ts';
import { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';

/** Which Kafka to start, and how. */
export interface ThrowAwayKafkaOptions {
  /** One of those that `infra/kafka` knows; by default what GATEHOUSE_KAFKA_VERSION says, else its own default. */
  readonly version?: string;
  /** How many further ways in it has, each over a wire of its own that can be cut. */
  readonly doors?: number;
  /** Further settings of the broker, each `key=value`. */
  readonly settings?: (ports: {
    readonly port: number;
    readonly controllerPort: number;
  }) => readonly string[];
  /** Who may sign in by SCRAM, in the words of Kafka's own `--add-scram`. */
  readonly scramUsers?: readonly string[];
}

/** A way to the broker, on which the broker keeps those who come by it: it tells them this very address. */
export interface KafkaDoor {
  readonly bootstrap: string;
  readonly wire: TcpProxy;
}

/** A real Apache Kafka broker of its own, on a free loopback port, with a data folder that goes when it stops. */
export interface ThrowAwayKafka {
  /** Where clients begin: host and port. */
  readonly bootstrap: string;
  readonly port: number;
  readonly doors: readonly KafkaDoor[];
  /** Its data, its settings and its log. */
  readonly folder: string;
  /** SIGKILL, as a crash would. The data stays for `restart`. */
  kill(): Promise<void>;
  /** Starts again on the same port and data; kills first where it still runs. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

const launcher = fileURLToPath(new URL('../../../infra/kafka/kafka.mjs', import.meta.url));

/** What makes a broker quick enough for tests: short sessions, and a cleaner that does not wait. */
const QUICK = [
  'group.min.session.timeout.ms=500',
  'log.cleaner.backoff.ms=500',
  'log.segment.delete.delay.ms=1000',
];

interface Running {
  readonly process: ChildProcess;
  readonly exited: Promise<unknown>;
  readonly brokerId: number;
}

async function run(args: readonly string[], logFile: string): Promise<Running> {
  // It ends with its standard input, so that no broker outlives a test run that was cut short.
  const child = spawn(process.execPath, [launcher, 'run', '--until-stdin-ends', ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
  const answer = await Promise.race([once(child.stdout, 'data'), exited.then(() => undefined)]);
  if (answer === undefined) {
    const log = await readFile(logFile, 'utf8').catch(() => '');
    throw new Error(`Kafka did not start: ${errors.trim()} ${log.slice(-2_000)}`.trim());
  }
  const { pid } = JSON.parse(String(answer[0])) as { pid: number };
  return { process: child, exited, brokerId: pid };
}

/** A listener for each door, advertised at the near end of its wire; answers the settings of the broker that make it so. */
async function openDoors(
  doors: KafkaDoor[],
  howMany: number,
  port: number,
  controllerPort: number,
): Promise<string[]> {
  const listeners: string[] = [];
  const advertised: string[] = [];
  const protocols: string[] = [];
  for (let number = 1; number <= howMany; number += 1) {
    const farEnd = await freePort();
    const wire = await startTcpProxy(farEnd);
    doors.push({ bootstrap: `127.0.0.1:${wire.port}`, wire });
    listeners.push(`,DOOR${number}://127.0.0.1:${farEnd}`);
    advertised.push(`,DOOR${number}://127.0.0.1:${wire.port}`);
    protocols.push(`,DOOR${number}:PLAINTEXT`);
  }
  if (howMany === 0) return [];
  const main = `PLAINTEXT://127.0.0.1:${port}`;
  return [
    `listeners=${main},CONTROLLER://127.0.0.1:${controllerPort}${listeners.join('')}`,
    `advertised.listeners=${main}${advertised.join('')}`,
    `listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT${protocols.join('')}`,
  ];
}

/** Starts a throw-away Kafka broker; whoever starts it must stop it. Needs Java 17, and Maven where the jars are not cached. */
export async function startThrowAwayKafka({
  version,
  doors: howMany = 0,
  settings: furtherSettings,
  scramUsers = [],
}: ThrowAwayKafkaOptions = {}): Promise<ThrowAwayKafka> {
  const data = await mkdtemp(join(tmpdir(), 'gatehouse-kafka-'));
  const [port, controllerPort] = [await freePort(), await freePort()];
  const ports = ['--port', String(port), '--controller-port', String(controllerPort)];
  const doors: KafkaDoor[] = [];
  const settings = [
    ...QUICK,
    ...(await openDoors(doors, howMany, port, controllerPort)),
    ...(furtherSettings?.({ port, controllerPort }) ?? []),
  ];
  const args = ['--data', data, ...ports, ...settings.flatMap((line) => ['--set', line])];
  if (version !== undefined) args.push('--version', version);
  for (const user of scramUsers) args.push('--add-scram', user);
  const start = () => run(args, join(data, 'broker.log'));
  const removeData = async (): Promise<void> => {
    for (const { wire } of doors) await wire.stop();
    await rm(data, { recursive: true, force: true, maxRetries: 3 });
  };
  let running: Running | undefined = await start().catch(async (error: unknown) => {
    await removeData();
    throw error;
  });
  const kill = async (): Promise<void> => {
    const victim = running;
    running = undefined;
    if (victim === undefined) return;
    try {
      process.kill(victim.brokerId, 'SIGKILL');
    } catch {
      // It died by itself: what it has left behind must go all the same.
    }
    await victim.exited;
  };
  return {
    bootstrap: `127.0.0.1:${port}`,
    port,
    doors,
    folder: data,
    kill,
    async restart() {
      await kill();
      running = await start();
    },
    async stop() {
      await kill();
      await removeData();
    },
  };
}

/** Why no Kafka (of this version) can be started on this machine: no Java, or no jars and no way to fetch them. Nothing where one can. */
export async function whyKafkaIsMissing(version?: string): Promise<string | undefined> {
  const args = version === undefined ? [] : ['--version', version];
  const child = spawn(process.execPath, [launcher, 'fetch', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
  const [code] = (await once(child, 'close')) as [number | null];
  return code === 0 ? undefined : errors.trim().replaceAll(/\s+/g, ' ');
}
