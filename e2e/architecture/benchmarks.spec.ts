import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { figure, median, quantile, report } from '../bench/report.ts';
import { filesUnder, textOf } from './repo.ts';

describe('the report of a benchmark', () => {
  let folder: string;
  let printed: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gatehouse-bench-'));
    printed = '';
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      printed += String(text);
      return true;
    });
  });
  afterEach(() => {
    vi.restoreAllMocks();
    rmSync(folder, { recursive: true });
  });

  const figures = [
    figure('p50, through the gate', 'ms', 3.14159, { baseline: 1.5, goal: 4 }),
    figure('p99, through the gate', 'ms', 5, { goal: 4 }),
    figure('calls a second', '1/s', 680),
  ];

  test('is a file of metric, unit, value, baseline, ratio, goal and whether it was met', async () => {
    const file = join(folder, 'figures.json');
    await report('One tool call', figures, file);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual([
      {
        metric: 'p50, through the gate',
        unit: 'ms',
        value: 3.142,
        baseline: 1.5,
        ratio: 2.094,
        goal: 4,
        met: true,
      },
      {
        metric: 'p99, through the gate',
        unit: 'ms',
        value: 5,
        baseline: null,
        ratio: null,
        goal: 4,
        met: false,
      },
      {
        metric: 'calls a second',
        unit: '1/s',
        value: 680,
        baseline: null,
        ratio: null,
        goal: null,
        met: null,
      },
    ]);
  });

  test('is a table that a person can read', async () => {
    await report('One tool call', figures, undefined);
    expect(printed).toBe(`
One tool call

  metric                 value  unit  baseline    ratio  goal
  p50, through the gate  3.142    ms       1.5  2.094 x  <= 4     met
  p99, through the gate      5    ms                     <= 4  MISSED
  calls a second           680   1/s

`);
  });

  test('counts the share of samples that a quantile says', () => {
    const samples = Array.from({ length: 100 }, (_, n) => 100 - n);
    expect([median(samples), quantile(samples, 0.99), quantile(samples, 0)]).toEqual([51, 100, 1]);
  });
});

describe('docs/benchmarks.md', () => {
  test('speaks of every benchmark that can be run', () => {
    const names = filesUnder('e2e/bench').flatMap(
      (path) => /\/([a-z]+)\.bench\.ts$/.exec(path)?.[1] ?? [],
    );
    expect(names).toContain('gate');
    const page = textOf('docs/benchmarks.md');
    expect(names.filter((name) => !page.includes(`\`npm run bench ${name}\``))).toEqual([]);
  });

  test('says what starting and idling cost, and that it is within the limits', () => {
    const page = textOf('docs/benchmarks.md');
    const measured = (metric: string): number[] => {
      const [, value, goal] =
        new RegExp(`\\| ${metric} +\\| +([\\d.]+) (?:s|MB) \\| <= ([\\d.]+)`).exec(page) ?? [];
      return [Number(value), Number(goal)];
    };
    for (const [metric, goal] of [
      ['first start, until ready', 6],
      ['later start, until ready', 2.5],
      ['idle memory of the Node process', 200],
    ] as const) {
      const [value, written] = measured(metric);
      expect(written, metric).toBe(goal);
      expect(value, metric).toBeLessThanOrEqual(goal);
    }
  });
});
