import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { readTrail, trailLine, trailTable, type TrailRow } from '../audit-trail.ts';
import { findRunning } from '../process/process-file.ts';
import { loadSettings } from '../settings.ts';
import { exitCodes, Failure } from './exit-codes.ts';

export interface AuditTailOptions {
  readonly lines: string;
  readonly follow?: true;
  readonly json?: true;
  readonly principal?: string;
  readonly server?: string;
  readonly tool?: string;
  readonly denied?: true;
  readonly url?: string;
}

const FOLLOW_EVERY_MS = 500;
const FOLLOW_PAGE = 200;
// So many known records in a row end a look: a gate whose clock is a little behind writes among them.
const MARGIN = 100;

type Filter = Readonly<Record<string, unknown>>;

/** `gatehouse audit tail`: reads through the admin API, at --url with GATEHOUSE_TOKEN, or of the Gatehouse on the data directory. */
export async function auditTail(options: AuditTailOptions): Promise<void> {
  const count = Number(options.lines);
  if (!Number.isSafeInteger(count) || count < 1 || count > 10_000) {
    throw new Failure('--lines takes a whole number from 1 to 10000', exitCodes.usage);
  }
  const gate = await findGate(options.url);
  const filter = filterOf(options);
  const rows = await readTrail(gate.url, gate.token, filter, count);
  print(rows, options);
  if (options.follow === true)
    await follow(gate, filter, Math.max(-1, ...rows.map((row) => row.index)), options);
}

/** Prints what the log gains: by index, for it alone never goes back, whatever clocks do. */
async function follow(
  gate: Gate,
  filter: Filter,
  newest: number,
  options: AuditTailOptions,
): Promise<never> {
  for (let last = newest; ;) {
    await sleep(FOLLOW_EVERY_MS);
    const fresh = await readSince(gate, filter, last);
    for (const row of fresh) {
      process.stdout.write(`${options.json === true ? JSON.stringify(row) : trailLine(row)}\n`);
    }
    last = fresh.at(-1)?.index ?? last;
  }
}

/** All records above an index, in order of index. The trail is paged by time, so one page more than needed is read. */
async function readSince(
  { url, token }: Gate,
  filter: Filter,
  last: number,
): Promise<readonly TrailRow[]> {
  for (let limit = FOLLOW_PAGE; ; limit *= 2) {
    const rows = await readTrail(url, token, filter, limit);
    const fresh = rows.filter((row) => row.index > last);
    const whole = rows.length < limit || rows.slice(-MARGIN).every((row) => row.index <= last);
    if (whole) return fresh.toSorted((a, b) => a.index - b.index);
  }
}

function print(rows: readonly TrailRow[], { json }: AuditTailOptions): void {
  if (json === true)
    for (const row of rows.toReversed()) process.stdout.write(`${JSON.stringify(row)}\n`);
  else if (rows.length === 0) process.stdout.write('The trail has no such record yet.\n');
  else process.stdout.write(`${trailTable(rows)}\n`);
}

function filterOf({ principal, server, tool, denied }: AuditTailOptions): Record<string, unknown> {
  return {
    ...(principal === undefined ? {} : { principalName: principal }),
    ...(server === undefined ? {} : { server }),
    ...(tool === undefined ? {} : { tool }),
    ...(denied === undefined ? {} : { decision: 'DENY' }),
  };
}

interface Gate {
  readonly url: string;
  readonly token: string;
}

async function findGate(url: string | undefined): Promise<Gate> {
  // The token is for this command alone; it is no setting of a service.
  const { GATEHOUSE_TOKEN: token, ...env } = process.env;
  return url === undefined ? gateOfDataDirectory(token, env) : remoteGate(url, token);
}

function remoteGate(url: string, token: string | undefined): Gate {
  if (!/^https?:$/.test(URL.parse(url)?.protocol ?? '')) {
    throw new Failure('--url takes the http or https address of the admin API', exitCodes.usage);
  }
  if (token === undefined || token.trim() === '') {
    throw new Failure("--url needs an administrator's key in GATEHOUSE_TOKEN", exitCodes.usage);
  }
  return { url: url.replace(/\/+$/, ''), token: token.trim() };
}

async function gateOfDataDirectory(
  given: string | undefined,
  env: NodeJS.ProcessEnv,
): Promise<Gate> {
  const dataDirectory = resolve(loadSettings(env).standalone.data);
  const running = await findRunning(dataDirectory);
  if (running?.url === undefined || running.url === null) {
    throw new Failure(`no Gatehouse runs on ${dataDirectory}`, exitCodes.notRunning);
  }
  const file = join(dataDirectory, 'admin-token');
  const token = given ?? (await readFile(file, 'utf8').catch(() => ''));
  if (token === '')
    throw new Failure(`set GATEHOUSE_TOKEN to an administrator's key: there is none in ${file}`);
  return { url: running.url, token: token.trim() };
}
