import {
  isBeat,
  policyCommands,
  policyStateSchema,
  topics,
  type PolicyState,
  type RequestOf,
  type RoleDefinition,
} from '@gatehouse/event-catalog';
import type { StateReader } from '@gatehouse/event-sourcing';
import { host, OwnerClient, PostgresEventStore, type Hosted } from '@gatehouse/platform';
import { startTestPlatform, type TestPlatform } from '@gatehouse/platform/testing';
import { eventually } from '@gatehouse/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { policyMigrations } from '../migrations.ts';
import { policyService } from '../policy.module.ts';
import { currentBundleProjection } from './current-bundle.projection.ts';
import { shippedRoles } from './shipped-roles.ts';

let test: TestPlatform;
let hosted: Hosted;
let reader: StateReader;
let states: Map<string | null, PolicyState>;

const start = async (): Promise<void> => {
  const { platform } = test;
  hosted = await host({
    platform,
    services: [policyService(platform, {})],
    host: '127.0.0.1',
    port: 0,
  });
  test.serveAt(hosted.url);
};

beforeEach(async () => {
  test = await startTestPlatform({ schemas: [policyMigrations] });
  await start();
  states = new Map();
  reader = await test.platform.bus.readAll(topics.policyState, ({ key, value }) => {
    if (isBeat({ key })) return;
    states.set(key, policyStateSchema.parse(JSON.parse(String(value))));
  });
});
afterEach(async () => {
  await reader?.stop();
  await hosted?.close();
  await test?.stop();
});

function send<Name extends keyof typeof policyCommands>(
  name: Name,
  command: RequestOf<typeof policyCommands, Name>,
) {
  return new OwnerClient(test.platform).command('policy', policyCommands, name, command, {
    actor: { kind: 'user', id: 'ada', name: 'Ada' },
    correlationId: 'test',
  });
}

const refusal = (code: string) => expect.objectContaining({ code });
const editor: RoleDefinition = {
  name: 'editor',
  description: 'edits',
  management: 'none',
  connectors: [{ slug: 'files', tools: { '*': 'write', rm: { mode: 'off', deny: true } } }],
};

describe('policy', () => {
  it('publishes the shipped roles as the first bundle, in its own name', async () => {
    await eventually(() =>
      expect([...states]).toEqual([['bundle', { number: 1, roles: shippedRoles }]]),
    );
    const { rows } = await test.platform
      .database('policy')
      .pool.query('select distinct actor from event');
    expect(rows).toEqual([{ actor: { kind: 'service', id: 'policy', name: 'policy' } }]);
    expect(test.platform.readiness.pending).toEqual([]);
  });

  it('publishes nothing at a later start', async () => {
    await hosted.close();
    const head = async () =>
      (await test.platform.database('policy').pool.query('select position from event_head')).rows;
    const before = await head();
    await start();
    expect(await head()).toEqual(before);
  });

  it('publishes the next bundle with each change, and none without', async () => {
    const defined = await send('define-role', { role: editor });
    expect(defined).toMatchObject({ stream: 'bundle', result: { bundleNumber: 2 } });
    expect(await send('define-role', { role: editor })).toEqual(defined);
    await eventually(() => {
      expect(states.get('bundle')?.number).toBe(2);
      expect(states.get('bundle')?.roles).toContainEqual(editor);
    });
    expect((await send('delete-role', { name: 'editor' })).result).toEqual({ bundleNumber: 3 });
    await eventually(() =>
      expect(states.get('bundle')).toEqual({ number: 3, roles: shippedRoles }),
    );
  });

  it('numbers changes made at the same moment one after the other', async () => {
    const made = await Promise.all(
      ['a', 'b', 'c'].map((name) => send('define-role', { role: { ...editor, name } })),
    );
    expect(made.map(({ result }) => result.bundleNumber).toSorted((a, b) => a - b)).toEqual([
      2, 3, 4,
    ]);
    await eventually(() =>
      expect(states.get('bundle')?.roles.map(({ name }) => name)).toEqual([
        'a',
        'admin',
        'b',
        'c',
        'developer',
        'viewer',
      ]),
    );
  });

  it('keeps the role admin and says why a role is refused', async () => {
    await expect(send('delete-role', { name: 'admin' })).rejects.toEqual(refusal('role-built-in'));
    await expect(send('delete-role', { name: 'nobody' })).rejects.toEqual(refusal('role-unknown'));
    await expect(
      send('define-role', {
        role: { ...editor, connectors: [{ slug: '*', tools: { '{a,b}': 'off' } }] },
      }),
    ).rejects.toMatchObject({
      code: 'request-invalid',
      detail: expect.stringContaining('"{a,b}"') as unknown,
    });
    await expect(send('define-role', { role: { ...editor, name: 'Not A Name' } })).rejects.toEqual(
      refusal('request-invalid'),
    );
  });

  it('finds the same bundle again when its table is rebuilt from the log', async () => {
    await send('define-role', { role: editor });
    const database = test.platform.database('policy');
    const bundle = async () => (await database.pool.query('select * from current_bundle')).rows;
    const before = await bundle();
    expect(before).toHaveLength(1);
    await new PostgresEventStore(database, [currentBundleProjection]).rebuildProjections();
    expect(await bundle()).toEqual(before);
  });
});
