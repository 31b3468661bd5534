import { openServiceDatabase } from '@gatehouse/platform';
import { scrape } from '@gatehouse/platform/testing';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startIdentity, type RunningIdentity } from '../test/start-identity.ts';

const own = { service: 'identity' };
let identity: RunningIdentity;

beforeAll(async () => {
  identity = await startIdentity();
});
afterAll(() => identity?.stop());

const value = async (
  name: string,
  labels: Record<string, string> = {},
): Promise<number | undefined> => (await scrape(identity.url)).value(name, { ...own, ...labels });

describe('the metrics of an owner', () => {
  it('count a command, what it appended, and what of it is on the bus', async () => {
    expect(await value('gatehouse_outbox_lag_events')).toBe(0);
    await identity.send('create-group', { displayName: 'Readers' });
    const command = { command: 'create-group', outcome: 'accepted' };
    expect(await value('gatehouse_commands_total', command)).toBe(1);
    expect(
      await value('gatehouse_command_duration_seconds_count', { command: 'create-group' }),
    ).toBe(1);
    expect(await value('gatehouse_events_appended_total')).toBe(1);
    await eventually(async () => {
      expect(await value('gatehouse_outbox_relayed_events_total')).toBe(1);
      expect(await value('gatehouse_outbox_lag_events')).toBe(0);
      expect(await value('gatehouse_outbox_oldest_unrelayed_age_seconds')).toBe(0);
    });
    expect(await value('gatehouse_outbox_relay_active')).toBe(1);
  });

  it('count what was refused by its code, and what had no right shape', async () => {
    await expect(
      identity.send('disable-agent', { agentId: 'nobody', reason: 'gone' }),
    ).rejects.toThrow();
    const unknown = { command: 'disable-agent', outcome: 'refused', code: 'agent-unknown' };
    expect(await value('gatehouse_commands_total', unknown)).toBe(1);
    await expect(identity.send('create-group', { displayName: '' })).rejects.toThrow();
    const misshapen = { command: 'create-group', outcome: 'refused', code: 'request-invalid' };
    expect(await value('gatehouse_commands_total', misshapen)).toBe(1);
  });

  it('show that nobody relays: what waits, and for how long', async () => {
    await busTakes(false);
    await identity.send('create-group', { displayName: 'Writers' });
    await identity.send('create-group', { displayName: 'Others' });
    await eventually(async () => {
      expect(await value('gatehouse_outbox_lag_events')).toBe(2);
      expect(await value('gatehouse_outbox_oldest_unrelayed_age_seconds')).toBeGreaterThan(0.5);
    });
    await busTakes(true);
    await eventually(async () => expect(await value('gatehouse_outbox_lag_events')).toBe(0), {
      timeoutMs: 20_000,
    });
  });

  it('show how far a projection of other logs is', async () => {
    const of = { projection: 'known-roles' };
    const advanced = await value('gatehouse_projection_last_advance_timestamp_seconds', of);
    expect(Math.abs(Date.now() / 1000 - advanced!)).toBeLessThan(120);
    expect(await value('gatehouse_projection_position', of)).toBe(0);
  });

  it('count appends that came second', async () => {
    const before = await value('gatehouse_events_appended_total');
    const names = ['a', 'b', 'c', 'd'];
    const bot = { name: 'bot', description: '', ownerUserId: null };
    const { agentId } = (await identity.send('register-agent', bot)).result;
    const rename = (name: string): Promise<unknown> =>
      identity.send('rename-agent', { agentId, name, description: '' });
    const done = await Promise.allSettled(names.map(rename));
    const renamed = done.filter(({ status }) => status === 'fulfilled').length;
    expect(await value('gatehouse_events_appended_total')).toBe(before! + 1 + renamed);
    expect(await value('gatehouse_event_version_conflicts_total')).toBeGreaterThan(0);
  });
});

/** Lets the bus take messages or not. */
async function busTakes(taken: boolean): Promise<void> {
  const [verb, preposition] = taken ? ['grant', 'to'] : ['revoke', 'from'];
  const owner = openServiceDatabase('identity', identity.test.ownerUrl, identity.platform.log);
  await owner.pool.query(`${verb} insert on all tables in schema bus ${preposition} gatehouse_bus`);
  await owner.close();
}
