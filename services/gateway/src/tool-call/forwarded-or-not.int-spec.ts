import { scrape } from '@gatehouse/platform/testing';
import { eventually } from '@gatehouse/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { post, sessionOf, startAgingGate, type AgingGate } from '../test/aging-gate.ts';

const MAX_AGE_MS = 15_000;
const MAY_HAVE_HAPPENED = /may have taken effect.*do not simply repeat it/;

let odd: AgingGate['odd'];
let clock: AgingGate['clock'];
let gate: AgingGate['gate'];
let agent: AgingGate['agent'];
let session: string;
let stop: AgingGate['stop'] | undefined;

beforeAll(async () => {
  const tools = { read: ['echo', 'progress'], write: ['change', 'held'] };
  ({ odd, clock, gate, agent, session, stop } = await startAgingGate(MAX_AGE_MS, tools));
});
/** All is well again, however the test before ended. */
beforeEach(async () => {
  gate.slow.release();
  odd.letGo();
  if (gate.evidence.health() === undefined) await gate.evidence.start();
  gate.ownersFallSilent();
  gate.ownersSpeak();
  await gate.ready();
});
afterAll(() => stop?.());

let ids = 0;
const callOf = (tool: string, params = {}): object => ({
  jsonrpc: '2.0',
  id: (ids += 1),
  method: 'tools/call',
  params: { name: `odd__${tool}`, ...params },
});
const progressOf = (params = {}): object =>
  callOf('progress', { _meta: { progressToken: 'mine' }, ...params });

/** What a client learns of a call that it gets no result of. */
async function toldBy(response: Response) {
  const { error } = (await response.json()) as { error: { message: string; data: object } };
  return {
    status: response.status,
    retryAfter: response.headers.get('retry-after'),
    message: error.message,
    data: error.data,
  };
}

const call = async (tool: string) =>
  toldBy(await gate.sendOnly('/mcp', post(agent, callOf(tool), session)));

async function untilCalled(tool: string, before: number): Promise<void> {
  await eventually(() => expect(odd.called.slice(before)).toEqual([tool]));
}

function loseTouch(): void {
  gate.ownersFallSilent();
  clock.advance(MAX_AGE_MS + 1_000);
}

const own = { service: 'gateway' };
const counted = async (name: string, labels: object): Promise<number> =>
  (await scrape(gate.url)).value(`gatehouse_gateway_${name}`, { ...own, ...labels }) ?? 0;

describe('a call that was forwarded, and whose outcome cannot be recorded', () => {
  it('is told apart from a refused one, and nobody is asked to repeat it', async () => {
    const called = odd.called.length;
    const asked = call('held');
    await untilCalled('held', called);
    await gate.evidence.stop();
    odd.letGo();
    expect(await asked).toEqual({
      status: 503,
      retryAfter: null,
      message: expect.stringMatching(MAY_HAVE_HAPPENED) as string,
      data: { problem: 'evidence-unavailable', forwarded: true },
    });
    const labels = { method: 'tools/call', decision: 'allow', outcome: 'cancelled' };
    const reason = 'evidence-unavailable';
    expect(await counted('requests_total', { ...labels, reason })).toBe(1);
    // One that was not may be repeated.
    expect(await call('held')).toMatchObject({
      status: 503,
      retryAfter: '1',
      message: expect.not.stringMatching(MAY_HAVE_HAPPENED) as string,
      data: { problem: 'evidence-unavailable' },
    });
    expect(odd.called.length).toBe(called + 1);
  });

  it('is recorded as made where only its intent was lost', async () => {
    gate.slow.hold();
    const asked = gate.send('/mcp', post(agent, progressOf({ arguments: {} }), session));
    await gate.slow.waiting(1);
    await gate.evidence.stop();
    gate.slow.release();
    // The disk heals before the outcome comes to it.
    gate.slow.hold();
    await gate.slow.waiting(1);
    await gate.evidence.start();
    gate.slow.release();
    const { message, headers, outcome } = await asked;
    expect(message.error?.data).toEqual({ problem: 'evidence-unavailable', forwarded: true });
    expect(headers.get('retry-after')).toBeNull();
    expect(outcome).toMatchObject({ decision: 'allow', outcome: 'cancelled' });
  });
});

describe('a gate that loses touch while a record is on its way to the disk', () => {
  it('does not forward the call whose intent it was, and says that it may be repeated', async () => {
    const called = odd.called.length;
    gate.slow.hold();
    const asked = gate.send('/mcp', post(agent, callOf('change'), session));
    await gate.slow.waiting(1);
    loseTouch();
    gate.slow.release();
    const { status, headers, message, outcome } = await asked;
    expect([status, headers.get('retry-after')]).toEqual([503, '1']);
    expect(message.error?.data).toEqual({ problem: 'state-stale' });
    expect(outcome).toMatchObject({
      decision: 'deny',
      outcome: 'refused',
      reason: { code: 'state-stale' },
    });
    expect(odd.called.length).toBe(called);
  });

  it('says so too where the intent cannot be written either', async () => {
    const called = odd.called.length;
    gate.slow.hold();
    const asked = call('change');
    await gate.slow.waiting(1);
    loseTouch();
    await gate.evidence.stop();
    gate.slow.release();
    const told = await asked;
    expect(told).toMatchObject({ status: 503, retryAfter: '1', data: { problem: 'state-stale' } });
    expect(told.message).not.toMatch(MAY_HAVE_HAPPENED);
    expect(odd.called.length).toBe(called);
  });

  it('passes on no progress that waited for it', async () => {
    gate.slow.hold();
    const asked = gate.sendOnly('/mcp', post(agent, progressOf(), session));
    await gate.slow.waiting(1);
    loseTouch();
    gate.slow.release();
    expect(await toldBy(await asked)).toEqual({
      status: 503,
      retryAfter: null,
      message: expect.stringMatching(MAY_HAVE_HAPPENED) as string,
      data: { problem: 'state-stale', forwarded: true },
    });
  });
});

describe('a call whose progress waits for its record', () => {
  it('passes none on once it is cut', async () => {
    const leaver = await gate.agent('leaver', ['user']);
    const left = await sessionOf(gate, leaver);
    const cancelled = odd.cancelled.length;
    gate.slow.hold();
    const asked = gate.sendOnly('/mcp', post(leaver, progressOf({ arguments: {} }), left));
    await gate.slow.waiting(1);
    await gate.principal({ ...leaver.state, active: false });
    await eventually(() => expect(odd.cancelled.length).toBe(cancelled + 1));
    gate.slow.release();
    const { data } = await toldBy(await asked);
    expect(data).toEqual({ problem: 'call-cut', forwarded: true });
  });

  it('has waited for the server no longer than until the server answered', async () => {
    const answered = { server: 'odd', outcome: 'answered' };
    const before = await counted('upstream_calls_total', answered);
    const method = 'tools/call';
    const ownBefore = await counted('own_duration_seconds_sum', { method });
    gate.slow.hold();
    const asked = gate.sendOnly('/mcp', post(agent, progressOf(), session));
    await gate.slow.waiting(1);
    await eventually(async () =>
      expect(await counted('upstream_calls_total', answered)).toBe(before + 1),
    );
    expect(await counted('calls_in_flight', {})).toBe(0);
    await sleep(300);
    gate.slow.release();
    expect((await asked).status).toBe(200);
    await (await asked).text();
    const ownSeconds = (await counted('own_duration_seconds_sum', { method })) - ownBefore;
    expect(ownSeconds).toBeGreaterThan(0.25);
  });
});

describe('a gate that stops', () => {
  it('does not say that it is not ready where a call was forwarded', async () => {
    const called = odd.called.length;
    const asked = call('held');
    await untilCalled('held', called);
    const stopping = gate.gate.worker.stop();
    await gate.evidence.stop();
    odd.letGo();
    expect(await asked).toMatchObject({
      retryAfter: null,
      data: { problem: 'evidence-unavailable', forwarded: true },
    });
    await stopping;
  });
});
