import { chmod, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@gatehouse/testing';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OWNERS, type Outcome } from './history.ts';
import { judge } from './judge.ts';
import { seedOfThisRun } from './random.ts';
import { mountSmallVolume, type SmallVolume } from './small-volume.ts';
import { startStage, type Stage } from './stage.ts';
import { steadyWords, untilWell } from './under-load.ts';
import { startWorkload, type Workload } from './workload.ts';

const MIB = 1024 * 1024;
/** How long a gate may decide on what it last heard. */
const MAX_AGE_MS = 6_000;
const PATIENCE = { timeoutMs: 40_000, everyMs: 100 };

const seed = seedOfThisRun();
let place: string;
let spoolVolume: SmallVolume | undefined;
let databaseVolume: SmallVolume | undefined;
let stage: Stage | undefined;
let load: Workload;

beforeAll(async () => {
  place = await mkdtemp(join(tmpdir(), 'gatehouse-small-'));
  // PostgreSQL runs as another user, who must get into the folder.
  await chmod(place, 0o755);
  databaseVolume = await mountSmallVolume(join(place, 'database'), 256 * MIB);
  stage = await startStage({
    seed,
    // The threshold that stops short of a full disk is tried elsewhere: here the disk itself says no.
    env: {
      GATEHOUSE_GATEWAY_SPOOL_MIN_FREE_BYTES: '1',
      GATEHOUSE_GATEWAY_STATE_MAX_AGE_MS: String(MAX_AGE_MS),
    },
    postgres: { within: databaseVolume.path, settings: ['max_wal_size=64MB', 'min_wal_size=32MB'] },
    async beforeStart(cluster) {
      const data = cluster.dataOf('gateway-1');
      await mkdir(data, { recursive: true });
      spoolVolume = await mountSmallVolume(data, 32 * MIB);
      return spoolVolume.unmount;
    },
  });
  load = startWorkload(stage);
});
afterAll(async () => {
  await stage?.dispose();
  await databaseVolume?.unmount();
  await rm(place, { recursive: true, force: true });
});

function changesSince(since: number, kind: Outcome['kind']): number {
  const changes = stage!.history.entries.filter((entry) => entry.kind === 'admin');
  return changes.filter((change) => change.invokedAt >= since && change.outcome.kind === kind)
    .length;
}

/** PostgreSQL ends itself when its journal finds no room, which every switch to a new segment of it asks for. */
async function untilItEndsItself(client: Client): Promise<void> {
  let isDown = false;
  client.on('error', () => (isDown = true));
  const writes = async (): Promise<void> => {
    if (isDown) return;
    await client.query('select pg_logical_emit_message(false, $1, $1)', ['x'.repeat(100_000)]);
    await client.query('select pg_switch_wal()');
    throw new Error('PostgreSQL still finds room');
  };
  await eventually(writes, PATIENCE);
}

describe(`on disks that fill up (seed ${seed})`, () => {
  it('a gate without room for evidence refuses, the other serves on, and it heals when there is room', async () => {
    const { fault } = stage!;
    await fault('the disk of gateway-1 is full', {}, async () => {
      const since = Date.now();
      await spoolVolume!.fill();
      try {
        await eventually(() => {
          expect(steadyWords(stage!, 'gateway-1', since)).toContain('evidence-unavailable');
        }, PATIENCE);
        const isAlarmed = (): boolean =>
          stage!.cluster.logOf('gateway-1').includes('ALARM: evidence cannot be written');
        await eventually(() => expect(isAlarmed()).toBe(true), { ...PATIENCE, everyMs: 20 });
        const isFull = Date.now();
        await sleep(5_000);
        const words = new Set(steadyWords(stage!, 'gateway-1', isFull));
        expect(words).toEqual(new Set(['evidence-unavailable']));
        expect(new Set(steadyWords(stage!, 'gateway-2', since))).toEqual(new Set(['ok']));
      } finally {
        await spoolVolume!.free();
      }
    });
    await untilWell(stage!);
  });

  it('a database without room fails changes and nothing else; brought back with room, all goes on', async () => {
    const { cluster, gates, fault } = stage!;
    const since = Date.now();
    await fault('the disk of PostgreSQL is full', { hits: OWNERS }, async () => {
      const client = new Client({ connectionString: cluster.databaseUrl });
      await client.connect();
      await databaseVolume!.fill();
      try {
        await untilItEndsItself(client);
        await eventually(() => expect(changesSince(since, 'failed')).toBeGreaterThan(3), PATIENCE);
        const isDown = Date.now();
        // No owner can say any more that all is told, so in the end no gate may decide.
        await sleep(MAX_AGE_MS + 2_000);
        const cannotKnow = Date.now();
        await sleep(2_000);
        for (const { node } of gates)
          expect(new Set(steadyWords(stage!, node, cannotKnow))).toEqual(new Set(['state-stale']));
        expect(changesSince(isDown, 'ok')).toBe(0);
        await expect(cluster.postgres.restart()).rejects.toThrow();
      } finally {
        await databaseVolume!.free();
        await cluster.postgres.restart();
      }
    });
    await untilWell(stage!);
  });

  it('leaves a history that keeps every promise', async () => {
    const evidence = await judge(stage!, load);
    expect(evidence.forwarded.length).toBeGreaterThan(100);
  });
});
