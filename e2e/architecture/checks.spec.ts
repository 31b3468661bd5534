import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectsOf } from './repo.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const notCopied = new Set(['node_modules', 'dist', '.git', '.nx', '.gatehouse', 'secrets']);
const ownPackages = '@gatehouse';

let copy: string;

/** A copy of the sources, in which one may break what must not be broken. What npm installed is linked; our own packages are those of the copy. */
function copyRepo(): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-checks-'));
  cpSync(root, folder, { recursive: true, filter: (path) => !notCopied.has(basename(path)) });
  const modules = join(folder, 'node_modules');
  mkdirSync(join(modules, ownPackages), { recursive: true });
  for (const name of readdirSync(join(root, 'node_modules')))
    if (name !== ownPackages) symlinkSync(join(root, 'node_modules', name), join(modules, name));
  for (const kind of ['libs', 'services'] as const)
    for (const name of projectsOf(kind))
      symlinkSync(join(folder, kind, name), join(modules, ownPackages, name));
  return folder;
}

/** Runs a tool as `npm run check` does, in the copy; answers its exit code and all that it said, on one line. */
function run(tool: string, ...args: string[]): { code: number | null; said: string } {
  const { status, stdout, stderr } = spawnSync(join(root, 'node_modules/.bin', tool), args, {
    cwd: copy,
    env: { ...process.env, NX_DAEMON: 'false', NO_COLOR: '1' },
    encoding: 'utf8',
  });
  return { code: status, said: `${stdout}${stderr}`.replaceAll(/\s+/g, ' ') };
}

const lint = (...paths: string[]): { code: number | null; said: string } =>
  run('oxlint', '--type-aware', '--deny-warnings', ...paths);

const seed = (path: string, text: string): void => appendFileSync(join(copy, path), text);

beforeAll(() => {
  copy = copyRepo();
  // Lint skips its module boundaries in silence where no graph is cached; so `npm run lint` begins with this.
  expect(run('nx', 'show', 'projects').said).toContain('@gatehouse/policy-engine');
});
afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe('what `npm run check` runs', { timeout: 180_000 }, () => {
  test('lint forbids what the table of layers and the table of scopes forbid, and a decider that reads the disk', () => {
    const seeds = [
      ['libs/policy-engine/src/glob.ts', 'createLogger', '@gatehouse/platform'],
      ['services/policy/src/policy-handler.ts', 'identityService', '@gatehouse/identity'],
      ['e2e/generate/markdown.ts', 'policyService', '@gatehouse/policy'],
      ['services/identity/src/user/user.decider.ts', 'readFileSync', 'node:fs'],
    ] as const;
    const paths = seeds.map(([path]) => path);
    const before = lint(...paths);
    expect([before.said, before.code]).toEqual([expect.stringContaining('0 errors'), 0]);
    for (const [path, name, from] of seeds)
      seed(path, `\nimport { ${name} } from '${from}';\nexport const seeded = ${name};\n`);
    const { said, code } = lint(...paths);
    expect(code).toBe(1);
    expect(said).toContain('4 errors');
    for (const complaint of [
      'tagged with "layer:domain" can only depend on libs tagged with "layer:domain", "layer:contract"',
      'tagged with "layer:service" can only depend on',
      'tagged with "scope:e2e" can only depend on libs tagged with "scope:e2e", "scope:standalone", "scope:shared"',
      'A decider is pure',
    ])
      expect(said).toContain(complaint);
  });

  test('lint holds the budgets of a file, a function and a decision', () => {
    const statements = (count: number): string => 'work();\n'.repeat(count);
    const choices = Array.from({ length: 13 }, (_, n) => `if (x === ${n}) return ${n};`).join('\n');
    const path = 'libs/policy-engine/src/too-much.ts';
    writeFileSync(
      join(copy, path),
      `import { work } from './work.ts';\nexport function long(): void {\n${statements(61)}}\n` +
        `export function winding(x: number): number {\n${choices}\nreturn x;\n}\n${statements(250)}`,
    );
    const { said, code } = lint(path);
    expect(code).toBe(1);
    for (const rule of ['max-lines)', 'max-lines-per-function)', 'complexity)'])
      expect(said).toContain(`eslint(${rule}`);
    rmSync(join(copy, path));
  });

  test('what nobody uses is found: a file, an export', () => {
    seed('libs/policy-engine/src/glob.ts', 'export const usedByNobody = 1;\n');
    writeFileSync(join(copy, 'services/policy/src/orphan.ts'), 'export const orphan = 1;\n');
    const { said, code } = run('knip');
    expect(code).toBe(1);
    expect(said).toContain('services/policy/src/orphan.ts');
    expect(said).toMatch(/usedByNobody\s+libs\/policy-engine\/src\/glob\.ts/);
  });

  test('what is not formatted is found', () => {
    expect(run('oxfmt', '--check', 'libs/policy-engine/src/decide.ts').code).toBe(0);
    seed('libs/policy-engine/src/decide.ts', 'export   const   odd = {a:1}');
    expect(run('oxfmt', '--check', 'libs/policy-engine/src/decide.ts').code).toBe(1);
  });
});
