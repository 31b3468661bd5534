import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { exists, filesUnder, projectsOf, textOf } from './repo.ts';

const services = projectsOf('services').filter((name) => name !== 'standalone');

describe('deployables', () => {
  test.each(services)(
    '%s runs alone by its main.ts, and its door exports its service and its settings',
    (service) => {
      expect(exists(`services/${service}/src/main.ts`)).toBe(true);
      const door = textOf(`services/${service}/src/index.ts`);
      expect(door).toMatch(new RegExp(`\\b${service}Service\\b`));
      expect(door).toMatch(new RegExp(`\\b${service}Config\\b`));
    },
  );

  test.each(services)('standalone hosts %s, as the cluster does', (service) => {
    const standalone = filesUnder('services/standalone/src').map(textOf).join('\n');
    expect(standalone).toMatch(new RegExp(`\\b${service}Service\\(`));
  });

  test.each([
    ...projectsOf('libs').map((name) => `libs/${name}`),
    ...projectsOf('services').map((name) => `services/${name}`),
  ])(
    '%s is built by the one list of projects, has one door, and brings no config of its own',
    (project) => {
      const listed = (JSON.parse(textOf('tsconfig.json')) as { references: { path: string }[] })
        .references;
      expect(listed.map(({ path }) => path)).toContain(`./${project}`);
      expect(exists(`${project}/src/index.ts`)).toBe(true);
      expect(
        filesUnder(project).filter((path) =>
          /(oxlintrc|oxfmtrc|vitest\.config|eslint|prettier|jest)/.test(path),
        ),
      ).toEqual([]);
    },
  );
});

interface Compose {
  readonly services: Readonly<
    Record<
      string,
      {
        readonly build?: { readonly context: string; readonly dockerfile: string };
        readonly image?: string;
        readonly ports?: readonly string[];
        readonly volumes?: readonly string[];
      }
    >
  >;
  readonly volumes?: Readonly<Record<string, unknown>>;
}

describe('docker-compose.yml', () => {
  const compose = parse(textOf('docker-compose.yml')) as Compose;
  const parts = Object.entries(compose.services);

  test.each(parts)(
    '%s is built from files that exist, or from an image of a fixed version',
    (_, { build, image }) => {
      const source = build?.dockerfile ?? image ?? '';
      expect(exists(source) || /:[\w.-]*\d[\w.-]*$/.test(source), source).toBe(true);
    },
  );

  test.each(parts)('%s publishes its ports on the loopback only', (_, { ports = [] }) => {
    expect(ports.filter((port) => !port.startsWith('127.0.0.1:'))).toEqual([]);
  });

  test.each(parts)(
    '%s mounts volumes that are declared and folders that exist',
    (_, { volumes = [] }) => {
      const sources = volumes.map((volume) => volume.slice(0, volume.indexOf(':')));
      const missing = sources.filter((source) =>
        source.startsWith('.') ? !exists(source) : !(source in (compose.volumes ?? {})),
      );
      expect(missing).toEqual([]);
    },
  );
});

describe('infra/docker/Dockerfile', () => {
  const lines = textOf('infra/docker/Dockerfile').replaceAll('\\\n', ' ').split('\n');
  const argumentsOf = (instruction: string): string[] =>
    lines
      .filter((line) => line.startsWith(`${instruction} `))
      .map((line) => line.slice(instruction.length + 1).trim());

  test('starts from bases of a fixed version, the Node of this repo', () => {
    const { devDependencies } = JSON.parse(textOf('package.json')) as {
      devDependencies: Record<string, string>;
    };
    for (const base of argumentsOf('FROM'))
      expect(base).toMatch(new RegExp(`^node:${devDependencies['node']}-`));
  });

  test('copies only what exists', () => {
    const copied = argumentsOf('COPY')
      .filter((args) => !args.startsWith('--from'))
      .flatMap((args) => args.split(/\s+/).slice(0, -1));
    expect(copied.length).toBeGreaterThan(0);
    expect(copied.filter((path) => !exists(path))).toEqual([]);
  });

  test('runs as nobody special', () => {
    expect(argumentsOf('USER').at(-1)).toBe('node');
    expect(lines.findLastIndex((line) => line.startsWith('USER '))).toBeLessThan(
      lines.findIndex((line) => line.startsWith('CMD ')),
    );
  });

  test('starts a file that the build writes', () => {
    const command = JSON.parse(argumentsOf('CMD').at(-1) ?? '[]') as string[];
    const started = command.find((part) => part.startsWith('services/')) ?? '';
    expect(exists(started.replace('/dist/', '/src/').replace(/\.js$/, '.ts'))).toBe(true);
  });
});
