import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { connectCaller } from '@gatehouse/standalone';
import { eventually } from '@gatehouse/testing';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from './harness/world.ts';

const CALLS = 1_000;
const KILL_AFTER = 300;

let world: World;
beforeAll(async () => {
  world = await startWorld();
});
afterAll(() => world.dispose());

interface Revealed {
  readonly path?: string;
  readonly message?: string;
}

/** What a call was about: its arguments, opened by the administrator. */
async function reveal(ids: readonly string[]): Promise<Revealed[]> {
  const opened: Revealed[] = [];
  for (const id of ids) {
    const answer = await world.ask<{ revealArguments: { arguments: Revealed } }>(
      `query ($id: ID!) { revealArguments(id: $id) { arguments } }`,
      { id },
    );
    opened.push(answer.revealArguments.arguments);
  }
  return opened;
}

/** The requests that an intent was recorded of. The search shows a request by its newest record alone: intents lie beneath. */
async function intended(): Promise<ReadonlySet<string>> {
  const database = new Client({ connectionString: await world.gatehouse.databaseUrl() });
  await database.connect();
  try {
    const { rows } = await database.query<{ request_id: string }>(
      `select request_id from audit.record where phase = 'intent'`,
    );
    return new Set(rows.map((row) => row.request_id));
  } finally {
    await database.end();
  }
}

describe('kill -9 in the middle of a thousand concurrent calls', () => {
  it('loses no answered call and doubles none, and every write that was forwarded left its intent', async () => {
    const { token } = await world.agent('busy', {
      everything: [{ tool: '*', mode: 'WRITE' }],
      files: [{ tool: '*', mode: 'WRITE' }],
    });
    const answered = new Set<string>();
    const callers = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        connectCaller(`${world.gatehouse.url}/mcp`, token, `busy-${index}`),
      ),
    );
    let wrote = false;
    let killed: Promise<void> | undefined;
    const calls = Array.from({ length: CALLS }, async (_, index) => {
      const caller = callers[index % callers.length]!;
      const name = `call-${index}`;
      const { failed } =
        index % 2 === 0
          ? await caller.call('everything__echo', { message: name })
          : await caller.call('files__write_file', {
              path: join(world.folder, name),
              content: name,
            });
      if (failed) return;
      answered.add(name);
      // Not before a write is among them: on a busy machine the server for writes may take its time to start.
      wrote ||= index % 2 === 1;
      if (answered.size >= KILL_AFTER && wrote) killed ??= world.gatehouse.kill();
    });
    await eventually(() => expect(killed).toBeDefined(), { timeoutMs: 60_000 });
    await killed;
    // What was under way can never be answered: the clients may wait for their own time-out.
    await Promise.race([
      Promise.allSettled(calls),
      new Promise((resolve) => setTimeout(resolve, 2_000)),
    ]);
    const answeredByThen = [...answered];
    await world.gatehouse.start();
    for (const caller of callers) void caller.close().catch(() => undefined);

    await eventually(
      async () => {
        const records = (await world.trail({ principalName: 'busy', method: 'tools/call' })).filter(
          (record) => record.hasArguments,
        );
        expect(new Set(records.map((record) => record.requestId)).size).toBe(records.length);
        const opened = await reveal(records.map((record) => record.id));
        const recorded = opened.map((args) => args.message ?? args.path?.split('/').at(-1) ?? '?');
        expect(new Set(recorded).size).toBe(recorded.length);
        expect(answeredByThen.filter((name) => !recorded.includes(name))).toEqual([]);
        const written = (await readdir(world.folder)).filter((name) => name.startsWith('call-'));
        expect(written.length).toBeGreaterThan(0);
        expect(written.filter((name) => !recorded.includes(name))).toEqual([]);
        const intents = await intended();
        const requestOf = (name: string) => records[recorded.indexOf(name)]?.requestId ?? '';
        expect(written.filter((name) => !intents.has(requestOf(name)))).toEqual([]);
      },
      { timeoutMs: 30_000, everyMs: 500 },
    );
  });
});
