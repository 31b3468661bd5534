import { topics } from '@gatehouse/event-catalog';
import { eventually } from '@gatehouse/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { post, sessionOf, startAgingGate, type AgingGate } from '../test/aging-gate.ts';
import { mcpHeaders } from '../test/gate-under-test.ts';

const MAX_AGE_MS = 15_000;
const HOUR_MS = 3_600_000;

let odd: AgingGate['odd'];
let clock: AgingGate['clock'];
let gate: AgingGate['gate'];
let agent: AgingGate['agent'];
let session: string;
let stop: AgingGate['stop'] | undefined;

beforeEach(async () => {
  ({ odd, clock, gate, agent, session, stop } = await startAgingGate(MAX_AGE_MS, {
    read: ['echo', 'held'],
  }));
});
afterEach(() => stop?.());

const ping = { jsonrpc: '2.0', id: 1, method: 'ping' };
const callOf = (name: string) => ({
  jsonrpc: '2.0',
  id: 2,
  method: 'tools/call',
  params: { name },
});
const health = async (): Promise<[number, unknown]> => {
  const response = await gate.sendOnly('/health/ready', {});
  return [response.status, await response.json()];
};
const serves = (): Promise<void> =>
  eventually(async () => {
    expect((await gate.sendOnly('/mcp', post(agent, ping, session))).status).toBe(200);
  });

describe('a gate whose owners fall silent', () => {
  beforeEach(() => gate.ownersFallSilent());

  it('serves for as long as it may, then refuses, and says why to caller, record and whoever watches', async () => {
    await gate.beat();
    clock.advance(MAX_AGE_MS - 1);
    expect((await gate.send('/mcp', post(agent, ping, session))).status).toBe(200);
    clock.advance(1_000);
    const refused = await gate.send('/mcp', post(agent, ping, session));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(refused.message.error).toMatchObject({ code: -31043, data: { problem: 'state-stale' } });
    expect(refused.outcome).toMatchObject({
      decision: 'deny',
      outcome: 'refused',
      reason: {
        code: 'state-stale',
        text: 'no beat of identity, policy, registry that counts was heard for 16 s',
      },
    });
    expect(await health()).toEqual([
      503,
      {
        status: 'waiting',
        waitingFor: ['gateway state: a beat of identity, policy, registry'],
      },
    ]);
  });

  it('refuses the very first request after it was suspended', async () => {
    clock.advance(HOUR_MS);
    const refused = await gate.send('/mcp', post(agent, callOf('odd__echo'), session));
    expect([refused.status, refused.outcome.reason.code]).toEqual([503, 'state-stale']);
    expect(odd.called).toEqual([]);
  });

  it('ends open streams, keeps the sessions, and serves them when the owners speak again', async () => {
    const headers = mcpHeaders(agent.token, session);
    const stream = await gate.sendOnly('/mcp', { headers });
    expect(stream.status).toBe(200);
    clock.advance(MAX_AGE_MS + 1_000);
    // Reads to the end: it comes.
    await stream.text();
    await gate.beat();
    await serves();
    expect(await health()).toEqual([200, { status: 'ready' }]);
    const again = await gate.sendOnly('/mcp', { headers });
    expect(again.status).toBe(200);
    await again.body?.cancel();
  });

  it('withholds the answer of a call that was under way, and records that it was made', async () => {
    const calling = gate.send('/mcp', post(agent, callOf('odd__held'), session));
    await eventually(() => expect(odd.called).toEqual(['held']));
    clock.advance(MAX_AGE_MS + 1_000);
    odd.letGo();
    const withheld = await calling;
    expect([withheld.status, withheld.headers.get('retry-after')]).toEqual([503, null]);
    expect(withheld.message.error?.data).toMatchObject({ problem: 'state-stale' });
    expect(withheld.outcome).toMatchObject({
      decision: 'allow',
      outcome: 'cancelled',
      reason: { code: 'state-stale' },
      tool: 'held',
    });
  });

  it('hands out the answer of a call if it knows again by then', async () => {
    const calling = gate.send('/mcp', post(agent, callOf('odd__held'), session));
    await eventually(() => expect(odd.called).toEqual(['held']));
    clock.advance(MAX_AGE_MS + 1_000);
    await gate.beat();
    await serves();
    odd.letGo();
    expect((await calling).status).toBe(200);
  });
});

describe('a gate that was away for so long that removals were forgotten', () => {
  it('reads all state anew, and lets nobody in on what it knew', async () => {
    const leaver = await gate.agent('leaver', ['user']);
    const left = await sessionOf(gate, leaver);
    const before = gate.gate.state.fold;
    gate.ownersFallSilent();
    await gate.forget(topics.principalsState, `agent:${leaver.id}`);
    await gate.forget(topics.catalogueState, 'odd');
    clock.advance(HOUR_MS);
    await gate.beat();
    await serves();
    expect(gate.gate.state.fold).not.toBe(before);
    expect(before.doubt()?.code).toBe('state-stale');
    expect((await gate.send('/mcp', post(leaver, ping, left))).status).toBe(401);
    const listed = await gate.send(
      '/mcp',
      post(agent, { jsonrpc: '2.0', id: 3, method: 'tools/list' }, session),
    );
    expect(listed.message.result).toEqual({ tools: [] });
  });

  it('ends what it held for those who are gone, and tells the others of their tools', async () => {
    const changes: ReadonlySet<string>[] = [];
    gate.gate.state.onChange(({ principals, servers }) => changes.push(principals, servers));
    gate.ownersFallSilent();
    await gate.forget(topics.principalsState, `agent:${agent.id}`);
    await gate.forget(topics.catalogueState, 'odd');
    clock.advance(HOUR_MS);
    gate.ownersSpeak();
    await gate.ready();
    await eventually(() =>
      expect(changes).toEqual([new Set([`agent:${agent.id}`]), new Set(['odd'])]),
    );
  });

  it('goes on with what it has after a short absence', async () => {
    const before = gate.gate.state.fold;
    gate.ownersFallSilent();
    clock.advance(60_000);
    expect(before.doubt()?.code).toBe('state-stale');
    gate.ownersSpeak();
    await serves();
    expect(gate.gate.state.fold).toBe(before);
  });
});
