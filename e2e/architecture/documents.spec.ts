import { dirname, join, normalize } from 'node:path';
import { describe, expect, test } from 'vitest';
import { exists, filesUnder, projectsOf, textOf } from './repo.ts';

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  ...filesUnder('docs').filter(
    (path) => path.endsWith('.md') && !path.startsWith('docs/reference/'),
  ),
];

/** The paths of this repo that a page names in code marks or links to, as paths from the root. */
function pathsIn(page: string, text: string): string[] {
  const named = [...text.matchAll(/`((?:services|libs|e2e|infra|docs|\.ci|\.github)\/[^`\s]*)`/g)]
    .map(([, path = '']) => path.replace(/\/$/, ''))
    .filter((path) => !/[<>*{}…]/.test(path));
  const linked = [...text.matchAll(/\]\((?!https?:|#)([^)#\s]+)/g)].map(([, path = '']) =>
    normalize(join(dirname(page), path)),
  );
  return [...named, ...linked];
}

describe('what documents name', () => {
  test.each(pages)('%s names only paths that exist', (page) => {
    expect(pathsIn(page, textOf(page)).filter((path) => !exists(path))).toEqual([]);
  });

  test('a path that is gone would be found, in code marks and in links', () => {
    const text =
      'See `services/nowhere/src/gone.ts`, [this](adr/9999-gone.md) and `services/<name>/src`.';
    expect(pathsIn('docs/page.md', text)).toEqual([
      'services/nowhere/src/gone.ts',
      'docs/adr/9999-gone.md',
    ]);
  });

  test('the README traces a tool call and a deactivation through the code', () => {
    const traced = pathsIn('README.md', textOf('README.md'));
    for (const expected of [
      /^services\/gateway\/src\/tool-call\//,
      /^services\/identity\/src\/user\//,
      /^libs\/policy-engine\/src\//,
    ]) {
      expect(traced.some((path) => expected.test(path))).toBe(true);
    }
  });
});

describe('every project', () => {
  test('is in the tree of the README', () => {
    const names = [...projectsOf('services'), ...projectsOf('libs')];
    const tree = textOf('README.md');
    expect(names.filter((name) => !new RegExp(`^  ${name}/ `, 'm').test(tree))).toEqual([]);
  });

  test('is in the tables of the architecture', () => {
    const paths = (['services', 'libs'] as const).flatMap((kind) =>
      projectsOf(kind).map((name) => `${kind}/${name}`),
    );
    const page = textOf('docs/architecture.md');
    expect(paths.filter((path) => !page.includes(`| \`${path}\` `))).toEqual([]);
  });
});

describe('the laws', () => {
  const rows = textOf('docs/architecture.md')
    .split('\n')
    .flatMap((line) => {
      const [, number, law = '', held = ''] = /^\| (\d+) +\| (.*) \| (.*) \|$/.exec(line) ?? [];
      return number === undefined ? [] : [{ number: Number(number), law, held }];
    });

  test('are ten, in order', () => {
    expect(rows.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });

  test.each(rows)('law $number is held by a test that exists', ({ held }) => {
    const tests = [...held.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path);
    expect(tests.length).toBeGreaterThan(0);
    for (const path of tests) {
      expect(path).toMatch(/spec\.ts$|contract\.ts$/);
      expect(exists(path), path).toBe(true);
    }
  });
});

describe('decisions', () => {
  const records = filesUnder('docs/adr').filter((path) => !path.includes('0000-template'));

  test('are numbered without a gap', () => {
    const numbers = records
      .map((path) => Number(/(\d{4})-[a-z0-9-]+\.md$/.exec(path)?.[1]))
      .toSorted((a, b) => a - b);
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(numbers.length).toBeGreaterThanOrEqual(10);
  });

  test.each(records)('%s fits on a page and says what holds it', (path) => {
    const text = textOf(path);
    expect(text).toMatch(
      /^# \d+\. .+\n\nStatus: (proposed|accepted|superseded by \d{4}) · Date: \d{4}-\d{2}-\d{2}\n/,
    );
    for (const part of ['Context', 'Decision', 'Consequences', 'Held by'])
      expect(text).toContain(`\n## ${part}\n`);
    expect(text.split('\n').length).toBeLessThanOrEqual(60);
  });
});
