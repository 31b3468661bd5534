// What `npm test` runs after the build: every lane, one after the other, and one line of totals at the end.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { spawn, spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

interface Lane {
  readonly name: string;
  /** The real servers, and the right to mount a disk, without which the lane would prove nothing. */
  readonly needs: readonly RealServer[];
}

type RealServer = 'PostgreSQL' | 'Kafka' | 'Kafka 3.9' | 'Caddy' | 'mount';

interface Tally {
  passed: number;
  failed: number;
  skipped: number;
}

/** What we read of Vitest's JSON report. */
interface Report {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numTotalTests: number;
  readonly testResults: readonly {
    readonly status: string;
    readonly assertionResults: readonly unknown[];
  }[];
}

const LANES: readonly Lane[] = [
  { name: 'unit', needs: [] },
  { name: 'architecture', needs: [] },
  { name: 'integration', needs: ['PostgreSQL'] },
  { name: 'kafka', needs: ['Kafka'] },
  { name: 'kafka-3.9', needs: ['Kafka 3.9'] },
  { name: 'e2e', needs: ['PostgreSQL'] },
  { name: 'e2e-cluster', needs: ['PostgreSQL', 'Kafka', 'Caddy'] },
  { name: 'fault', needs: ['PostgreSQL', 'Kafka'] },
  { name: 'fault-disk', needs: ['mount', 'PostgreSQL', 'Kafka'] },
];

/** Set where the machine is known to have all that the lanes need: there, what is skipped has failed. */
const noLaneMaySkip = process.env['NO_LANE_MAY_SKIP'] === '1';
const vitest = join(createRequire(import.meta.url).resolve('vitest/package.json'), '../vitest.mjs');

async function whyPostgresIsMissing(): Promise<string | undefined> {
  try {
    const { startThrowAwayPostgres } = await import('@gatehouse/testing');
    const postgres = await startThrowAwayPostgres();
    await postgres.stop();
    return undefined;
  } catch (error) {
    return `PostgreSQL cannot be started here: ${(error as Error).message.trim().replaceAll(/\s+/g, ' ')}`;
  }
}

async function whyKafkaCannotRun(version?: string): Promise<string | undefined> {
  const { whyKafkaIsMissing } = await import('@gatehouse/testing');
  const why = await whyKafkaIsMissing(version);
  return why && `Kafka cannot be started here: ${why}`;
}

function whyCaddyCannotRun(): string | undefined {
  const { error } = spawnSync('caddy', ['version'], { stdio: 'ignore' });
  return error && `Caddy cannot be started here: ${error.message}`;
}

/** Mounts one and lets go of it: root in a container may have been denied it too. */
function whyNothingCanBeMounted(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-mount-'));
  try {
    const mount = ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', folder];
    const { status, stderr, error } = spawnSync('mount', mount, { encoding: 'utf8' });
    if (status === 0) {
      spawnSync('umount', ['--lazy', folder]);
      return undefined;
    }
    const why = error?.message ?? stderr.trim().replaceAll(/\s+/g, ' ');
    return `a small disk cannot be mounted here, which takes root: ${why}`;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function run(args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [vitest, ...args], { stdio: 'inherit' });
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

function read(reportFile: string): Tally {
  const report = JSON.parse(readFileSync(reportFile, 'utf8')) as Report;
  // A file that could not even be loaded holds no tests to count, and yet it failed.
  const unloadable = report.testResults.filter(
    (file) => file.status === 'failed' && file.assertionResults.length === 0,
  );
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloadable.length,
    // All others: what Vitest calls pending it does not count itself, where a suite within a skipped one is skipped too.
    skipped: report.numTotalTests - report.numPassedTests - report.numFailedTests,
  };
}

async function runLane({ name }: Lane): Promise<Tally> {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-lane-'));
  const reportFile = join(folder, 'report.json');
  try {
    const reports = ['--reporter=default', '--reporter=json', `--outputFile.json=${reportFile}`];
    const code = await run(['run', '--project', name, ...reports]);
    const tally = read(reportFile);
    if (code !== 0 && tally.failed === 0) tally.failed = 1;
    return tally;
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !LANES.some((lane) => lane.name === name));
if (unknown.length > 0) {
  console.error(
    `no such lane: ${unknown.join(', ')}; there are ${LANES.map((lane) => lane.name).join(', ')}`,
  );
  process.exit(2);
}
const lanes = LANES.filter((lane) => chosen.length === 0 || chosen.includes(lane.name));
const isNeeded = (server: RealServer): boolean => lanes.some(({ needs }) => needs.includes(server));
const missing: Record<RealServer, string | undefined> = {
  PostgreSQL: isNeeded('PostgreSQL') ? await whyPostgresIsMissing() : undefined,
  Kafka: isNeeded('Kafka') ? await whyKafkaCannotRun() : undefined,
  'Kafka 3.9': isNeeded('Kafka 3.9') ? await whyKafkaCannotRun('3.9.2') : undefined,
  Caddy: isNeeded('Caddy') ? whyCaddyCannotRun() : undefined,
  mount: isNeeded('mount') ? whyNothingCanBeMounted() : undefined,
};

const total: Tally = { passed: 0, failed: 0, skipped: 0 };
const remarks: string[] = [];
for (const lane of lanes) {
  const why = lane.needs.map((server) => missing[server]).find((reason) => reason !== undefined);
  if (why !== undefined) {
    remarks.push(`${noLaneMaySkip ? 'failed' : 'skipped'}: ${lane.name}: ${why}`);
    total[noLaneMaySkip ? 'failed' : 'skipped'] += 1;
    continue;
  }
  console.log(`\n=== ${lane.name}`);
  const tally = await runLane(lane);
  total.passed += tally.passed;
  total.failed += tally.failed;
  total.skipped += tally.skipped;
  if (tally.failed > 0) remarks.push(`failed: ${lane.name}: see above`);
  if (tally.skipped > 0)
    remarks.push(`skipped: ${lane.name}: ${tally.skipped} tests skip themselves`);
}

for (const remark of remarks) console.log(remark);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 || (noLaneMaySkip && total.skipped > 0) ? 1 : 0;
