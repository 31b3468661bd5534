import { describe, expect, test } from 'vitest';
import { exists, filesUnder, projectsOf, sourceFiles, importsOf, textOf } from './repo.ts';

interface Manifest {
  readonly workspaces?: readonly string[];
  readonly allowScripts?: Readonly<Record<string, boolean>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly engines?: Readonly<Record<string, string>>;
  readonly [dependencies: string]: unknown;
}

interface LockedPackage {
  readonly version?: string;
  readonly integrity?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dev?: boolean;
  readonly engines?: { readonly node?: string };
}

const read = (path: string): unknown => JSON.parse(textOf(path));
const root = read('package.json') as Manifest;
const projects = [
  ...projectsOf('libs').map((name) => `libs/${name}`),
  ...projectsOf('services').map((name) => `services/${name}`),
  'e2e',
];
const manifests = [
  { path: 'package.json', manifest: root },
  ...projects.map((project) => ({
    path: `${project}/package.json`,
    manifest: read(`${project}/package.json`) as Manifest,
  })),
];
const { packages: locked } = read('package-lock.json') as {
  packages: Readonly<Record<string, LockedPackage>>;
};
const fromRegistry = Object.entries(locked).filter(
  ([path, { link }]) => /(^|\/)node_modules\//.test(path) && link !== true,
);

/** The dependencies of a manifest that are no exact version. */
function loose(manifest: Manifest): string[] {
  const kinds = ['dependencies', 'devDependencies', 'optionalDependencies', 'peerDependencies'];
  return kinds.flatMap((kind) =>
    Object.entries((manifest[kind] ?? {}) as Record<string, string>)
      .filter(([, version]) => !/^(?:npm:@?[^@]+@)?\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(version))
      .map(([name, version]) => `${name} ${version}`),
  );
}

const launcher = new URL('../../services/standalone/bin/oldest-node.mjs', import.meta.url);
const { isNewEnough, OLDEST_NODE } = (await import(launcher.href)) as {
  isNewEnough(version: string): boolean;
  OLDEST_NODE: string;
};

/** Whether a range of Node versions, as `engines` has it, lets this one in. */
function allows(range: string, version: string): boolean {
  const numbers = (text: string): number[] => text.split('.').map(Number);
  const isNoOlder = (than: string): boolean => {
    const [a, b] = [numbers(version), numbers(than)];
    const differs = b.findIndex((number, i) => number !== a[i]);
    return differs === -1 || a[differs]! > b[differs]!;
  };
  return range.split('||').some((alternative) => {
    const [, kind = '', from = ''] = /^\s*(>=|\^|~|)\s*([\d.]+|\*)/.exec(alternative) ?? [];
    if (from === '*') return true;
    return isNoOlder(from) && (kind === '>=' || numbers(from)[0] === numbers(version)[0]);
  });
}

describe('what is installed', () => {
  test.each(manifests)('$path asks for exact versions', ({ manifest }) => {
    expect(loose(manifest)).toEqual([]);
  });

  test('a version that is a range would be found', () => {
    expect(
      loose({ dependencies: { a: '^1.2.3', b: '1.2.3', c: '*', d: 'npm:@x/y@1.0.0' } }),
    ).toEqual(['a ^1.2.3', 'c *']);
  });

  test('is pinned by the lock, to the byte', () => {
    expect(fromRegistry.length).toBeGreaterThan(300);
    expect(fromRegistry.filter(([, { version, integrity }]) => !version || !integrity)).toEqual([]);
    for (const project of projects) expect(locked).toHaveProperty([project]);
  });

  test('runs no script of its own but those that the root allows, and each of these is needed', () => {
    const names = fromRegistry
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([path]) => path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length));
    expect(Object.keys(root.allowScripts ?? {}).toSorted()).toEqual([...new Set(names)].toSorted());
  });

  test('brings a Node that is new enough, for systems whose own is not', () => {
    expect(locked['node_modules/node']?.version).toMatch(/^24\./);
    expect(root.engines?.['node']).toBe('>=20');
  });

  test('runs on the oldest Node that the command takes: a package that demands a newer one would be named', () => {
    const demands = Object.entries(locked)
      .filter(([path, { dev }]) => path !== '' && dev !== true)
      .map(([path, { engines }]) => `${path} ${engines?.node ?? '*'}`);
    const unmet = (demand: string) => !allows(demand.slice(demand.indexOf(' ') + 1), OLDEST_NODE);
    expect(demands.filter(unmet)).toEqual([]);
    expect(['a >=22.18.1', 'b ^20.9.0 || >=22.0.0', 'c ^24'].filter(unmet)).toEqual([
      'a >=22.18.1',
      'c ^24',
    ]);
    const versions = ['20.19.0', '22.9.0', '22.17.9', OLDEST_NODE, '22.18.1', '24.0.0'];
    expect(versions.filter(isNewEnough)).toEqual([OLDEST_NODE, '22.18.1', '24.0.0']);
  });
});

describe('the workspace', () => {
  test('has the top level that a reader expects, and npm knows its projects', () => {
    const parts = ['package.json', 'tsconfig.base.json', 'nx.json', 'services', 'libs', 'infra'];
    const docs = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'LICENSE', 'docs/architecture.md'];
    for (const part of [...parts, ...docs, 'docker-compose.yml', 'e2e', 'docs/adr', '.ci/run'])
      expect(exists(part), part).toBe(true);
    expect(root.workspaces).toEqual(['libs/*', 'services/*', 'e2e']);
    expect(textOf('LICENSE')).toContain('Apache License');
  });

  test('the README shows two commands, a connection for each client, and both run what they say', () => {
    const readme = textOf('README.md');
    for (const command of ['npm ci && npm run demo', 'npm ci && npm test'])
      expect(readme).toContain(`\n${command}\n`);
    // The shell would take a signal to itself and leave the gate running.
    for (const command of ['start', 'demo'])
      expect(root.scripts?.[command]).toMatch(new RegExp(`&& exec gatehouse ${command}$`));
    expect(root.scripts?.['test']).toMatch(/node e2e\/lanes\.ts$/);
    for (const client of ['Claude Code', 'Claude Desktop', 'Cursor', 'VS Code'])
      expect(readme).toContain(`**${client}**`);
  });

  test('CI installs, checks and tests, and the totals of the lanes are the last thing it prints', () => {
    const lines = textOf('.ci/run').trimEnd().split('\n');
    for (const step of ['npm ci', 'npm run check', 'npm test']) expect(lines).toContain(step);
    expect(lines.at(-1)).toBe('npm test');
    expect(lines).toContain('set -euo pipefail');
  });

  test('no source says that something is still to be written', () => {
    const texts = [...sourceFiles('libs', 'services'), ...filesUnder('e2e').filter(isSource)];
    const stub = /\b(?:TODO|FIXME|XXX)\b|not (?:yet )?implemented/i;
    const found = texts.filter((path) => path !== self && stub.test(textOf(path)));
    expect(found).toEqual([]);
  });
});

const self = 'e2e/architecture/toolchain.spec.ts';
const isSource = (path: string): boolean => path.endsWith('.ts');

describe('contracts, kernel and domain', () => {
  const pure = projectsOf('libs').filter((name) => {
    const { nx } = read(`libs/${name}/package.json`) as { nx?: { tags?: string[] } };
    return /layer:(contract|kernel|domain)/.test(nx?.tags?.join(' ') ?? '');
  });
  // Hashing is no I/O; the rest of Node is.
  const allowed = /^(?:\.{1,2}\/.*|@gatehouse\/[\w-]+|zod|canonicalize|node:crypto)$/;
  const worldly =
    /\bDate\.now\(|\bnew Date\(\)|\bMath\.random\(|\bset(?:Timeout|Interval)\(|\bfetch\(|\bprocess\./;

  const impure = (text: string): string[] => [
    ...importsOf(text).filter((name) => !allowed.test(name)),
    ...(worldly.exec(text) ?? []),
  ];

  test('do no I/O, and ask neither the clock nor chance', () => {
    expect(pure).toContain('event-sourcing');
    expect(pure).toContain('policy-engine');
    const found = pure
      .flatMap((name) => filesUnder(`libs/${name}/src`))
      .filter((path) => isSource(path) && !/spec\.ts$|contract\.ts$/.test(path))
      .flatMap((path) => impure(textOf(path)).map((what) => `${path}: ${what}`));
    expect(found).toEqual([]);
  });

  test('one that read the disk or the clock would be found', () => {
    const text = `import { readFile } from 'node:fs/promises';\nconst at = Date.now();`;
    expect(impure(text)).toEqual(['node:fs/promises', 'Date.now(']);
  });
});
