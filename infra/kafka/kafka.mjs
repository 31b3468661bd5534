#!/usr/bin/env node
// Apache Kafka without Docker: fetched by its Maven coordinates, run as one KRaft broker on the loopback. See README.md.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer } from 'node:net';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const DEFAULT_VERSION = '4.3.1';
const READY_WITHIN_MS = 60_000;
const ENDS_WITHIN_MS = 15_000;

const LOG4J2 = [
  'org.apache.logging.log4j:log4j-core:2.25.3',
  'org.apache.logging.log4j:log4j-slf4j-impl:2.25.3',
];
const RELOAD4J = ['org.slf4j:slf4j-reload4j:1.7.36'];
/** Only what was tried: the newest version on Maven is not always complete. */
const VERSIONS = { '4.3.1': LOG4J2, '3.9.2': RELOAD4J };

const LOG4J2_SETTINGS = `status=error
appender.out.type=Console
appender.out.name=out
appender.out.layout.type=PatternLayout
appender.out.layout.pattern=%d %p %c %m%n
rootLogger.level=warn
rootLogger.appenderRef.out.ref=out
`;
const RELOAD4J_SETTINGS = `log4j.rootLogger=WARN,out
log4j.appender.out=org.apache.log4j.ConsoleAppender
log4j.appender.out.layout=org.apache.log4j.PatternLayout
log4j.appender.out.layout.ConversionPattern=%d %p %c %m%n
`;

const dependency = (coordinates) => {
  const [groupId, artifactId, version] = coordinates.split(':');
  return `<dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`;
};

/** Where the jars of a version lie, outside of the repo. */
function homeOf(version) {
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'gatehouse-kafka', version);
}

/** Fetches the jars by the machine's own Maven settings, unless they are there; returns their folder. */
function fetchJars(version) {
  const loggers = VERSIONS[version];
  if (loggers === undefined)
    throw new Error(
      `Kafka ${version} was not tried; there are ${Object.keys(VERSIONS).join(', ')}`,
    );
  const home = homeOf(version);
  if (existsSync(join(home, 'lib'))) return join(home, 'lib');
  mkdirSync(home, { recursive: true });
  const work = mkdtempSync(join(home, 'fetching-'));
  try {
    const wanted = [`org.apache.kafka:kafka_2.13:${version}`, ...loggers].map(dependency).join('');
    const pom = join(work, 'pom.xml');
    writeFileSync(
      pom,
      `<project><modelVersion>4.0.0</modelVersion><groupId>gatehouse</groupId><artifactId>kafka</artifactId>
       <version>1</version><packaging>pom</packaging><dependencies>${wanted}</dependencies></project>`,
    );
    const args = ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', '-DincludeScope=runtime'];
    const maven = spawnSync('mvn', [...args, `-DoutputDirectory=${join(work, 'lib')}`], {
      stdio: ['ignore', 2, 2],
    });
    if (maven.error !== undefined) throw new Error(`Maven cannot be run: ${maven.error.message}`);
    if (maven.status !== 0) throw new Error(`Maven could not fetch Kafka ${version}`);
    // In one step, so that a fetch that was cut short is never taken for a whole one.
    if (!existsSync(join(home, 'lib'))) renameSync(join(work, 'lib'), join(home, 'lib'));
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return join(home, 'lib');
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

function settings({ data, port, controllerPort, overrides }) {
  return Object.entries({
    'process.roles': 'broker,controller',
    'node.id': 1,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${port}`,
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': join(data, 'log'),
    'auto.create.topics.enable': false,
    'offsets.topic.num.partitions': 4,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // A broker that was killed may come back under its number after this silence.
    'broker.session.timeout.ms': 2000,
    'broker.heartbeat.interval.ms': 500,
    ...overrides,
  })
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}

/** True when the broker answers a request: it does so only once it is in service. */
function answers(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    const settle = (answered) => {
      socket.destroy();
      resolve(answered);
    };
    // ApiVersions, version 0, correlation 1, no client id.
    const request = Buffer.from([0, 0, 0, 10, 0, 18, 0, 0, 0, 0, 0, 1, 0xff, 0xff]);
    socket.setTimeout(1_000, () => settle(false));
    socket.on('connect', () => socket.write(request));
    socket.on('data', () => settle(true));
    socket.on('error', () => settle(false));
    socket.on('close', () => settle(false));
  });
}

/** One that begins with a dash would be taken for an option. */
function clusterId() {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? clusterId() : id;
}

async function run(options) {
  const data = resolve(options.data);
  const port = Number(options.port ?? (await freePort()));
  const controllerPort = Number(options['controller-port'] ?? (await freePort()));
  const { java, file } = prepare(options, data, port, controllerPort);
  const out = openSync(join(data, 'broker.log'), 'a');
  format(java, file, data, out, options['add-scram'] ?? []);
  const broker = spawn('java', [...java, 'kafka.Kafka', file], { stdio: ['ignore', out, out] });
  const exited = once(broker, 'exit');
  const end = async () => {
    broker.kill('SIGTERM');
    await Promise.race([exited, sleep(ENDS_WITHIN_MS, undefined, { ref: false })]);
    broker.kill('SIGKILL');
  };
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, () => void end());
  if (options['until-stdin-ends']) process.stdin.resume().on('end', () => void end());
  await untilAnswers(port, data, exited, end);
  console.log(
    JSON.stringify({ bootstrap: `127.0.0.1:${port}`, port, controllerPort, pid: broker.pid }),
  );
  await exited;
  process.exit(0);
}

/** Writes the broker's settings, and answers the Java command line that everything of it starts with. */
function prepare(options, data, port, controllerPort) {
  const lib = fetchJars(options.version);
  mkdirSync(data, { recursive: true });
  const overrides = Object.fromEntries((options.set ?? []).map((line) => line.split(/=(.*)/s, 2)));
  const file = join(data, 'server.properties');
  writeFileSync(file, settings({ data, port, controllerPort, overrides }));
  const isLog4j2 = VERSIONS[options.version] === LOG4J2;
  const logging = join(data, 'logging.properties');
  writeFileSync(logging, isLog4j2 ? LOG4J2_SETTINGS : RELOAD4J_SETTINGS);
  const loggingFlag = isLog4j2
    ? `-Dlog4j2.configurationFile=${logging}`
    : `-Dlog4j.configuration=file:${logging}`;
  const flags = ['-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'];
  return { file, java: [...flags, '-cp', join(lib, '*'), loggingFlag] };
}

/** A data folder is formatted once, before its first broker; with it come the users that sign in by SCRAM. */
function format(java, file, data, out, users) {
  if (existsSync(join(data, 'log', 'meta.properties'))) return;
  const command = ['kafka.tools.StorageTool', 'format', '-t', clusterId(), '-c', file];
  const scram = users.flatMap((user) => ['--add-scram', user]);
  const formatted = spawnSync('java', [...java, ...command, ...scram], {
    stdio: ['ignore', out, out],
  });
  if (formatted.error !== undefined)
    throw new Error(`Java cannot be run: ${formatted.error.message}`);
  if (formatted.status !== 0)
    throw new Error(`the data folder was not formatted: see ${data}/broker.log`);
}

async function untilAnswers(port, data, exited, end) {
  let isRunning = true;
  void exited.then(() => (isRunning = false));
  const deadline = Date.now() + READY_WITHIN_MS;
  while (!(await answers(port))) {
    if (!isRunning) throw new Error(`the broker ended at once: see ${data}/broker.log`);
    if (Date.now() > deadline) {
      await end();
      throw new Error(`the broker was not ready in time: see ${data}/broker.log`);
    }
    await sleep(50);
  }
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    version: { type: 'string', default: process.env.GATEHOUSE_KAFKA_VERSION ?? DEFAULT_VERSION },
    data: { type: 'string' },
    port: { type: 'string' },
    'controller-port': { type: 'string' },
    set: { type: 'string', multiple: true },
    'add-scram': { type: 'string', multiple: true },
    'until-stdin-ends': { type: 'boolean', default: false },
  },
});
try {
  if (positionals[0] === 'fetch') {
    const { error, status } = spawnSync('java', ['-version'], { stdio: 'ignore' });
    if (error !== undefined || status !== 0) throw new Error('Java cannot be run');
    console.log(fetchJars(values.version));
  } else if (positionals[0] === 'run' && values.data !== undefined) await run(values);
  else {
    console.error(
      'usage: kafka.mjs fetch [--version V] | kafka.mjs run --data FOLDER [--version V] [--port N] [--controller-port N] [--set key=value] [--add-scram SCRAM-SHA-512=[name=N,password=P]]',
    );
    process.exitCode = 2;
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
