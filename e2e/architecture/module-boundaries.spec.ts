import { createProjectGraphAsync, type ProjectGraph } from '@nx/devkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { importsOf, sourceFiles, textOf } from './repo.ts';

interface Constraint {
  readonly sourceTag: string;
  readonly onlyDependOnLibsWithTags: readonly string[];
  readonly bannedExternalImports?: readonly string[];
}

interface LintConfig {
  readonly rules: Readonly<Record<string, unknown>>;
}

// The same table that lint holds: lint skips itself in silence where no project graph is cached.
const constraints = constraintsOfLint();

function constraintsOfLint(): readonly Constraint[] {
  const { rules } = JSON.parse(textOf('.oxlintrc.json')) as LintConfig;
  const [, options] = rules['@nx/enforce-module-boundaries'] as [
    string,
    { depConstraints: Constraint[] },
  ];
  return options.depConstraints;
}

function tagsOf(graph: Pick<ProjectGraph, 'nodes'>, project: string): readonly string[] {
  return graph.nodes[project]?.data.tags ?? [];
}

/** Every edge of the graph that the table forbids, as a sentence. */
function forbiddenEdges(graph: Pick<ProjectGraph, 'nodes' | 'dependencies'>): string[] {
  return Object.values(graph.dependencies)
    .flat()
    .flatMap(({ source, target }) =>
      constraints
        .filter(({ sourceTag }) => tagsOf(graph, source).includes(sourceTag))
        .filter((constraint) => forbids(graph, constraint, target))
        .map(({ sourceTag }) => `${source} (${sourceTag}) must not depend on ${target}`),
    );
}

function forbids(
  graph: Pick<ProjectGraph, 'nodes'>,
  constraint: Constraint,
  target: string,
): boolean {
  if (target.startsWith('npm:')) {
    // With several versions of one package, Nx names the package with the version.
    const name = target.slice('npm:'.length).replace(/(?<=.)@[^@/]*$/, '');
    return (constraint.bannedExternalImports ?? []).some((banned) =>
      banned.endsWith('*') ? name.startsWith(banned.slice(0, -1)) : name === banned,
    );
  }
  const tags = tagsOf(graph, target);
  return !constraint.onlyDependOnLibsWithTags.some((tag) => tags.includes(tag));
}

describe('module boundaries', () => {
  let graph: ProjectGraph;

  beforeAll(async () => {
    process.env['NX_DAEMON'] = 'false';
    graph = await createProjectGraphAsync({ exitOnError: false });
  });

  /** The real graph, with one edge more. */
  const withEdge = (source: string, target: string): ProjectGraph => ({
    ...graph,
    dependencies: { [source]: [{ type: 'static', source, target }] },
  });

  test('every project has exactly one layer and one scope, and the table knows both', () => {
    const known = new Set(constraints.map(({ sourceTag }) => sourceTag));
    for (const [name, { data }] of Object.entries(graph.nodes)) {
      const tags = data.tags ?? [];
      expect(
        tags.filter((tag) => tag.startsWith('layer:')),
        name,
      ).toHaveLength(1);
      expect(
        tags.filter((tag) => tag.startsWith('scope:')),
        name,
      ).toHaveLength(1);
      expect(
        tags.filter((tag) => !known.has(tag) && !tag.startsWith('npm:')),
        name,
      ).toEqual([]);
    }
  });

  test('no project depends on one that its tags forbid', () => {
    expect(forbiddenEdges(graph)).toEqual([]);
  });

  test('the graph sees what the sources import', () => {
    const targets = graph.dependencies['@gatehouse/platform']?.map(({ target }) => target);
    expect(targets).toContain('@gatehouse/event-sourcing');
    expect(targets).toContain('npm:pg');
  });

  test.each([
    ['@gatehouse/identity', '@gatehouse/policy'],
    ['@gatehouse/gateway', '@gatehouse/standalone'],
    ['@gatehouse/platform', '@gatehouse/audit'],
    ['@gatehouse/policy-engine', '@gatehouse/platform'],
    ['@gatehouse/event-sourcing', 'npm:pg'],
    ['@gatehouse/event-catalog', 'npm:@nestjs/common'],
    ['@gatehouse/mcp-protocol', 'npm:fastify@5.0.0'],
  ])('an edge from %s to %s would be found', (source, target) => {
    expect(forbiddenEdges(withEdge(source, target))).not.toEqual([]);
  });

  test('an edge that the table allows is let pass', () => {
    expect(forbiddenEdges(withEdge('@gatehouse/gateway', '@gatehouse/policy-engine'))).toEqual([]);
  });
});

describe('test parts', () => {
  const forTests =
    /^(@gatehouse\/testing|@gatehouse\/(platform|event-sourcing)\/testing|vitest|fast-check)(\/|$)/;
  // The demo too: it plays on the real upstream servers that tests use.
  const mayUseThem =
    /\.(spec|int-spec|kafka-spec|contract)\.ts$|\/src\/(test|testing)\/|^libs\/testing\/|^services\/standalone\/src\/demo\//;

  test('are imported by specs, contracts and test libraries only', () => {
    const leaks = sourceFiles('libs', 'services')
      .filter((path) => !mayUseThem.test(path))
      .flatMap((path) =>
        importsOf(textOf(path))
          .filter((name) => forTests.test(name))
          .map((name) => `${path} imports ${name}`),
      );
    expect(leaks).toEqual([]);
  });

  test('no module is imported around its door', () => {
    // What a module exports beside its door is said in its package.json, and that is little.
    const sideDoors = [
      '@gatehouse/event-sourcing/testing',
      '@gatehouse/platform/testing',
      '@gatehouse/platform/locking',
    ];
    const around = sourceFiles('libs', 'services').flatMap((path) =>
      importsOf(textOf(path))
        .filter((name) => /^@gatehouse\/[\w-]+\/.+/.test(name) && !sideDoors.includes(name))
        .map((name) => `${path} imports ${name}`),
    );
    expect(around).toEqual([]);
  });

  test('imports of every form are seen', () => {
    const text = `import a from 'one';\nimport {\n  b,\n} from 'two';\nexport { c } from "three";\nimport 'four';\nawait import('five');`;
    expect(importsOf(text)).toEqual(['one', 'two', 'three', 'four', 'five']);
  });
});
