import { parseArgs } from 'node:util';
import { busBench } from './bus.bench.ts';
import { gateBench } from './gate.bench.ts';
import { report, type Figure } from './report.ts';
import { startBench } from './start.bench.ts';

interface Bench {
  readonly title: string;
  readonly run: () => Promise<readonly Figure[]>;
}

const benches: Readonly<Record<string, Bench>> = {
  bus: { title: 'The bus: from publishing to the handler of another connection', run: busBench },
  gate: { title: 'One tool call: direct, and through the gate', run: gateBench },
  start: { title: 'Starting and idling', run: startBench },
};

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { json: { type: 'string' } },
});
const bench = benches[positionals[0] ?? ''];
if (bench === undefined) {
  process.stderr.write(
    `usage: npm run bench <${Object.keys(benches).join('|')}> [-- --json FILE]\n`,
  );
  process.exitCode = 2;
} else {
  await report(bench.title, await bench.run(), values.json);
}
