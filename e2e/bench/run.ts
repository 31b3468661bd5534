import { parseArgs } from 'node:util';
import { busBench } from './bus.bench.ts';
import { gateBench } from './gate.bench.ts';
import { propagationBench, propagationForms, type FormName } from './propagation.bench.ts';
import { report, type Figure } from './report.ts';
import { scaleBench } from './scale.bench.ts';
import { startBench } from './start.bench.ts';

interface Bench {
  readonly title: string;
  readonly run: () => Promise<readonly Figure[]>;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'string' },
    form: { type: 'string', multiple: true, default: ['standalone', 'cluster-kafka'] },
    events: { type: 'string', default: '200' },
    load: { type: 'string', default: '25' },
  },
});

const isForm = (name: string): name is FormName => name in propagationForms;
const numbers = { events: Number(values.events), load: Number(values.load) };
const isUsable = values.form.every(isForm) && numbers.events >= 1 && numbers.load > 0;

const benches: Readonly<Record<string, Bench>> = {
  bus: { title: 'The bus: from publishing to the handler of another connection', run: busBench },
  gate: { title: 'One tool call: direct, and through the gate', run: gateBench },
  propagation: {
    title: 'From a change that an administrator makes to its effect at every gateway',
    run: () => propagationBench({ forms: values.form.filter(isForm), ...numbers }),
  },
  scale: { title: 'More gateways, more principals, more tools', run: scaleBench },
  start: { title: 'Starting and idling', run: startBench },
};

const bench = benches[positionals[0] ?? ''];
if (bench === undefined || !isUsable) {
  process.stderr.write(
    `usage: npm run bench <${Object.keys(benches).join('|')}> [-- --json FILE]\n` +
      `       npm run bench propagation [-- --form <${Object.keys(propagationForms).join('|')}>] [--events N] [--load CALLS_A_SECOND]\n`,
  );
  process.exitCode = 2;
} else {
  await report(bench.title, await bench.run(), values.json);
}
