import { basename } from 'node:path';
import { describe, expect, test } from 'vitest';
import { importsOf, projectsOf, filesUnder, textOf } from './repo.ts';

/** The roles that CONTRIBUTING.md lists: what follows the first dot of each file pattern in the first column of its table. */
const roles = rolesOf(textOf('CONTRIBUTING.md'));
const sources = projectsOf('services').flatMap((service) => filesUnder(`services/${service}/src`));

function rolesOf(contributing: string): ReadonlySet<string> {
  const [, section = ''] = /\n## Roles of files\n([\s\S]*?)\n## /.exec(contributing) ?? [];
  const cells = section.split('\n').flatMap((line) => /^\|([^|]*`[^|]*)\|/.exec(line)?.[1] ?? []);
  const patterns = cells.flatMap((cell) =>
    [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  );
  return new Set(patterns.map(suffixOf));
}

function suffixOf(path: string): string {
  const name = basename(path);
  return name.slice(name.indexOf('.'));
}

/** A spec has its own role, and the role of what it is about: `user.decider.spec.ts`. */
function rolesAskedOf(path: string): string[] {
  const [, about, spec] = /^(.*)(\.(?:int-)?spec\.ts)$/.exec(suffixOf(path)) ?? [];
  return spec === undefined ? [suffixOf(path)] : [spec, `${about}.ts`];
}

function withoutRole(paths: readonly string[]): string[] {
  return paths.filter((path) => !rolesAskedOf(path).every((role) => roles.has(role)));
}

/** Files of a role whose name does not say what the role asks for. */
function misnamed(paths: readonly string[]): string[] {
  const shapes: readonly (readonly [string, RegExp])[] = [
    ['.command.ts', /^[a-z]+-[a-z-]+\.command\.ts$/],
    ['.reactor.ts', /^[a-z]+[a-z-]*-when-[a-z-]+\.reactor\.ts$/],
    ['.module.ts', /^([a-z]+)\.module\.ts$/],
    ['.config.ts', /^([a-z]+)\.config\.ts$/],
  ];
  return paths.filter((path) =>
    shapes.some(([suffix, shape]) => suffixOf(path) === suffix && !shape.test(basename(path))),
  );
}

/** What a decider imports that could make it impure. */
function impureImports(text: string): string[] {
  return importsOf(text).filter(
    (name) =>
      !name.startsWith('.') &&
      !/^@gatehouse\/(event-catalog|event-sourcing|problem-catalog|policy-engine|mcp-protocol)$/.test(
        name,
      ),
  );
}

describe('roles of files', () => {
  test('are listed in CONTRIBUTING.md', () => {
    for (const role of [
      '.decider.ts',
      '.command.ts',
      '.query.ts',
      '.projection.ts',
      '.spec.ts',
      '.ts',
    ]) {
      expect(roles).toContain(role);
    }
  });

  test('every file of a service has one of them', () => {
    expect(sources.length).toBeGreaterThan(0);
    expect(withoutRole(sources)).toEqual([]);
  });

  test('a file with a role of its own invention would be found', () => {
    expect(withoutRole(['services/audit/src/trail/trail.manager.ts'])).toHaveLength(1);
    expect(withoutRole(['services/audit/src/trail/trail.manager.spec.ts'])).toHaveLength(1);
    expect(withoutRole(['services/audit/src/trail/trail.store.ts'])).toEqual([]);
    expect(withoutRole(['services/identity/src/user/user.decider.spec.ts'])).toEqual([]);
  });

  test('commands, reactors, modules and settings are named as their role asks', () => {
    expect(misnamed(sources)).toEqual([]);
  });

  test('a reactor that does not say when would be found', () => {
    expect(misnamed(['services/gateway/src/session/end-sessions.reactor.ts'])).toHaveLength(1);
  });

  test('no folder is named after a layer', () => {
    const layers =
      /\/(controllers|services|repositories|models|utils|helpers|common|shared|types)\//;
    expect(sources.filter((path) => layers.test(path.replace(/^services\//, '')))).toEqual([]);
  });

  test('a decider knows events, commands and the kernel, nothing else', () => {
    const deciders = sources.filter((path) => /\.(decider|workflow)\.ts$/.test(path));
    const impure = deciders.flatMap((path) =>
      impureImports(textOf(path)).map((name) => `${path} imports ${name}`),
    );
    expect(impure).toEqual([]);
  });

  test('a decider that reads the disk would be found', () => {
    expect(impureImports(`import { readFileSync } from 'node:fs';`)).toEqual(['node:fs']);
  });
});
