import { writeFile } from 'node:fs/promises';

/** One measured figure. `ratio` is value / baseline, of medians taken in the same run; `goal` is what the value (or, where it says so, the ratio) should not exceed. */
export interface Figure {
  readonly metric: string;
  readonly unit: string;
  readonly value: number;
  readonly baseline: number | null;
  readonly ratio: number | null;
  readonly goal: number | null;
  readonly met: boolean | null;
}

/** Builds a figure; rounds to what the unit can carry. */
export function figure(
  metric: string,
  unit: string,
  value: number,
  { baseline, goal }: { baseline?: number; goal?: number } = {},
): Figure {
  return {
    metric,
    unit,
    value: round(value),
    baseline: baseline === undefined ? null : round(baseline),
    ratio: baseline === undefined ? null : round(value / baseline),
    goal: goal ?? null,
    met: goal === undefined ? null : value <= goal,
  };
}

/** Prints the figures as a table, and writes them to the file that `--json FILE` names. */
export async function report(
  title: string,
  figures: readonly Figure[],
  jsonFile: string | undefined,
): Promise<void> {
  const rows = [
    ['metric', 'value', 'unit', 'baseline', 'ratio', 'goal', ''],
    ...figures.map(({ metric, value, unit, baseline, ratio, goal, met }) => [
      metric,
      String(value),
      unit,
      String(baseline ?? ''),
      ratio === null ? '' : `${ratio} x`,
      goal === null ? '' : `<= ${goal}`,
      met === null ? '' : met ? 'met' : 'MISSED',
    ]),
  ];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  process.stdout.write(`\n${title}\n\n`);
  for (const row of rows) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
    );
    process.stdout.write(`  ${cells.join('  ').trimEnd()}\n`);
  }
  process.stdout.write('\n');
  if (jsonFile !== undefined) await writeFile(jsonFile, `${JSON.stringify(figures, null, 2)}\n`);
}

/** The value that `share` of the sorted samples do not exceed. */
export function quantile(samples: readonly number[], share: number): number {
  const sorted = samples.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

/** The middle one. */
export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5);
}

function round(value: number): number {
  return Number(value.toPrecision(4));
}
