import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { topics, type AuditRecord } from '@gatehouse/event-catalog';
import type { IncomingMessage } from '@gatehouse/event-sourcing';
import { openServiceDatabase } from '@gatehouse/platform';
import { startTestPlatform, type TestPlatform } from '@gatehouse/platform/testing';
import { eventually, ManualClock } from '@gatehouse/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { RecordDraft } from './evidence.ts';
import { spoolDefaults, SpoolEvidence } from './spool-evidence.ts';

const clock = new ManualClock('2026-03-01T08:00:00.000Z');
let world: TestPlatform;
let arrived: IncomingMessage[];

beforeEach(async () => {
  arrived = [];
  world = await startTestPlatform({ schemas: [], clock });
  await world.platform.bus.subscribe({
    group: 'spec',
    topics: [topics.auditRaw],
    handle: async ({ messages }) => void arrived.push(...messages),
  });
});
afterEach(() => world.stop());

const evidenceOf = ({ platform }: TestPlatform) =>
  new SpoolEvidence(platform, {
    ...spoolDefaults(
      join(platform.dataDirectory, 'spool'),
      join(platform.dataDirectory, 'audit.key'),
    ),
    segmentBytes: 8_000,
  });
const draft = (requestId: string): RecordDraft => ({
  phase: 'outcome',
  requestId,
  endpoint: '/mcp',
  method: 'tools/call',
  principal: null,
  server: null,
  tool: null,
  toolClass: null,
  decision: 'deny',
  reason: { code: 'token-refused', text: 'No such key.' },
  outcome: 'refused',
  httpStatus: 401,
  rpcCode: null,
  durationMs: 0.2,
  resultBytes: 0,
  client: null,
  clientIp: '127.0.0.1',
  userAgent: null,
  sessionRef: null,
  bundleNumber: null,
  traceId: null,
  arguments: { requestId },
});
const recordMany = (evidence: SpoolEvidence, first: number, count: number) =>
  Promise.all(
    Array.from({ length: count }, (_, n) => evidence.record(draft(`request-${first + n}`))),
  );
const records = () => arrived.map(({ value }) => JSON.parse(String(value)) as AuditRecord);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

describe('evidence', () => {
  test('reaches the bus in order, once, under its source, as CloudEvents', async () => {
    const evidence = evidenceOf(world);
    await evidence.start();
    for (let round = 0; round < 5; round += 1) await recordMany(evidence, round * 20, 20);
    await eventually(() => expect(arrived).toHaveLength(100));
    await evidence.stop();
    expect(records().map(({ sequence }) => sequence)).toEqual(upTo(100));
    expect(new Set(records().map(({ requestId }) => requestId)).size).toBe(100);
    const [message] = arrived as [IncomingMessage];
    const [record] = records() as [AuditRecord];
    expect(record).toMatchObject({ at: '2026-03-01T08:00:00.000Z', source: message.key });
    expect(message.headers).toMatchObject({
      sequence: '1',
      ce_specversion: '1.0',
      ce_sequence: '1',
      ce_subject: message.key,
    });
  });

  test('is refused before the spool is open and after it is closed, and readiness says so', async () => {
    const evidence = evidenceOf(world);
    const refused = () =>
      expect(evidence.record(draft('x'))).rejects.toMatchObject({ code: 'evidence-unavailable' });
    await refused();
    expect(world.platform.readiness.pending).toContain('evidence');
    await evidence.start();
    expect(world.platform.readiness.pending).toEqual([]);
    await evidence.record(draft('y'));
    await evidence.stop();
    await refused();
    expect(world.platform.readiness.pending).toContain('evidence');
  });

  test('is taken while the bus refuses it, and relayed whole and in order once it does not', async () => {
    const owner = openServiceDatabase('gateway', world.ownerUrl, world.platform.log);
    const evidence = evidenceOf(world);
    await evidence.start();
    await owner.pool.query('revoke insert on all tables in schema bus from gatehouse_bus');
    await recordMany(evidence, 0, 50);
    await recordMany(evidence, 50, 50);
    await eventually(() =>
      expect(evidence.health()).toMatchObject({
        healthy: true,
        lastSequence: 100,
        relayedSequence: 0,
      }),
    );
    await owner.pool.query('grant insert on all tables in schema bus to gatehouse_bus');
    await eventually(() => expect(arrived).toHaveLength(100), { timeoutMs: 15_000 });
    expect(records().map(({ sequence }) => sequence)).toEqual(upTo(100));
    await evidence.stop();
    await owner.close();
  });

  test('that a stopped process had not relayed is relayed by the next, with nothing twice', async () => {
    const first = evidenceOf(world);
    await first.start();
    await recordMany(first, 0, 30);
    await first.stop();
    const second = evidenceOf(world);
    await second.start();
    await recordMany(second, 30, 10);
    await eventually(() => expect(arrived.length).toBeGreaterThanOrEqual(40));
    await second.stop();
    expect(records().map(({ sequence }) => sequence)).toEqual(upTo(40));
    expect(new Set(records().map(({ source }) => source)).size).toBe(1);
  });

  test('is not gone on with under another key where the one that sealed it was lost, until somebody made one knowingly', async () => {
    const evidence = evidenceOf(world);
    await evidence.start();
    await evidence.stop();
    const keyFile = join(world.platform.dataDirectory, 'audit.key');
    const kept = await readFile(keyFile);
    await rm(keyFile);
    await expect(evidence.start()).rejects.toThrow(`the sealing key ${keyFile} is missing`);
    await expect(readFile(keyFile)).rejects.toThrow('ENOENT');
    await writeFile(keyFile, kept);
    await evidence.start();
    await evidence.stop();
  });

  test('is not opened with a key file that is none', async () => {
    const evidence = evidenceOf(world);
    await evidence.start();
    await evidence.stop();
    await rm(join(world.platform.dataDirectory, 'audit.key'));
    const directory = join(world.platform.dataDirectory, 'spool');
    const wrong = new SpoolEvidence(
      world.platform,
      spoolDefaults(directory, join(directory, 'source')),
    );
    await expect(wrong.start()).rejects.toThrow(/32 bytes/);
  });
});
