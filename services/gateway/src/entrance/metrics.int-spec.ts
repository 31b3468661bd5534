import { scrape, type Scraped } from '@gatehouse/platform/testing';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { topics } from '@gatehouse/event-catalog';
import { eventually, everythingStdio } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GateUnderTest, mcpHeaders, type TestAgent } from '../test/gate-under-test.ts';

const echo = { name: 'echo', description: 'approved echo', inputSchema: { type: 'object' } };
const REQUESTS = 'gatehouse_gateway_requests_total';

let gate: GateUnderTest;
let agent: TestAgent;
let client: Client;

beforeAll(async () => {
  gate = await GateUnderTest.start();
  await gate.roles(
    { name: 'reader', connectors: [{ slug: '*', tools: { '*': 'read' } }] },
    { name: 'nobody', connectors: [] },
  );
  const { command, args } = everythingStdio();
  const tools = { read: [echo], write: ['get-sum'] };
  await gate.server('local', { kind: 'stdio', command, args: [...args], env: {} }, tools);
  agent = await gate.agent('counted', ['reader']);
  await gate.ready();
  client = new Client({ name: 'counted-client', version: '1' });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${gate.url}/mcp`), {
      requestInit: { headers: mcpHeaders(agent.token) },
    }),
  );
});
afterAll(async () => {
  await client?.close();
  await gate?.stop();
});

/** What some work added to a series, by the public door. */
async function added(
  name: string,
  labels: Record<string, string>,
  work: () => Promise<unknown>,
): Promise<number> {
  const now = async (): Promise<number> => (await scrape(gate.url)).value(name, labels) ?? 0;
  const before = await now();
  await work();
  return (await now()) - before;
}

const call = (name: string) => client.callTool({ name, arguments: { message: 'hi' } });
const own = { service: 'gateway' };

describe('the metrics of a gate', () => {
  it('count a call that is allowed, with its time apart from that of the server', async () => {
    const allowed = { ...own, method: 'tools/call', decision: 'allow', outcome: 'ok' };
    expect(await added(REQUESTS, allowed, () => call('local__echo'))).toBe(1);
    const upstream = { ...own, server: 'local' };
    const calls = 'gatehouse_gateway_upstream_calls_total';
    const answered = { ...upstream, outcome: 'answered' };
    expect(await added(calls, answered, () => call('local__echo'))).toBe(1);
    const scraped = await scrape(gate.url);
    const upstreamSeconds = scraped.value(
      'gatehouse_gateway_upstream_duration_seconds_sum',
      upstream,
    );
    const ownSeconds = scraped.value('gatehouse_gateway_own_duration_seconds_sum', {
      ...own,
      method: 'tools/call',
    });
    // The first of these calls started the server, which takes far longer than anything the gate does.
    expect(upstreamSeconds).toBeGreaterThan(ownSeconds!);
    expect(ownSeconds).toBeGreaterThan(0);
    expect(scraped.value('gatehouse_gateway_calls_in_flight', own)).toBe(0);
    expect(scraped.value('gatehouse_gateway_requests_in_flight', own)).toBeGreaterThanOrEqual(0);
  });

  it('count a call that is denied, with the reason that its record has', async () => {
    const denied = { ...own, method: 'tools/call', decision: 'deny', outcome: 'refused' };
    const refused = (): Promise<unknown> => call('local__get-sum').catch(() => undefined);
    expect(await added(REQUESTS, denied, refused)).toBe(1);
    const record = await eventually(() => {
      const found = gate.records.find(
        ({ tool, decision }) => tool === 'get-sum' && decision === 'deny',
      );
      if (found === undefined) throw new Error('not recorded yet');
      return found;
    });
    const why = { ...denied, reason: record.reason.code };
    expect((await scrape(gate.url)).value(REQUESTS, why)).toBe(1);
  });

  it('have no label that a caller can make up', async () => {
    const odd = { jsonrpc: '2.0', method: 'notifications/made-up-by-me' };
    const body = JSON.stringify(odd);
    const send = (): Promise<unknown> =>
      gate.send('/mcp', { method: 'POST', headers: mcpHeaders(agent.token), body });
    expect(await added(REQUESTS, { ...own, method: 'other' }, send)).toBe(1);
    await call('local__no-such-tool').catch(() => undefined);
    await gate.send('/s/no-such-server/mcp', {
      method: 'POST',
      headers: mcpHeaders(agent.token),
      body,
    });
    const { text } = await scrape(gate.url);
    for (const madeUp of ['made-up-by-me', 'no-such-tool', 'no-such-server', agent.id, agent.keyId])
      expect(text).not.toContain(madeUp);
  });

  it('show the sessions, and count those that a revocation cuts', async () => {
    expect((await scrape(gate.url)).value('gatehouse_gateway_sessions', own)).toBe(1);
    await eventually(async () =>
      expect((await scrape(gate.url)).value('gatehouse_gateway_streams', own)).toBe(1),
    );
    await gate.principal({ ...agent.state, keys: [] });
    await eventually(async () => {
      const scraped = await scrape(gate.url);
      const ended = 'gatehouse_gateway_sessions_ended_total';
      expect(scraped.value(ended, { ...own, cause: 'revoked' })).toBe(1);
      expect(scraped.value('gatehouse_gateway_sessions', own)).toBe(0);
      expect(scraped.value('gatehouse_gateway_streams', own)).toBe(0);
    });
  });

  it('show how far its state is, how old, and that it suffices', async () => {
    const scraped = await scrape(gate.url);
    expect(scraped.value('gatehouse_gateway_deciding', own)).toBe(1);
    expect(scraped.value('gatehouse_gateway_state_age_seconds', own)).toBeLessThan(15);
    for (const { name } of [topics.principalsState, topics.policyState, topics.catalogueState]) {
      const of = { ...own, topic: name };
      expect(scraped.value('gatehouse_gateway_state_caught_up', of)).toBe(1);
      expect(scraped.value('gatehouse_gateway_state_position', of)).toBeGreaterThan(0);
    }
  });

  it('show how its evidence does: what waits for the bus, what the disk has left', async () => {
    const value = async (name: string): Promise<number | undefined> =>
      (await scrape(gate.url)).value(`gatehouse_gateway_spool_${name}`, own);
    expect(await value('records_total')).toBeGreaterThan(5);
    expect(await value('sync_duration_seconds_count')).toBeGreaterThan(5);
    expect(await value('refusing')).toBe(0);
    expect(await value('free_bytes')).toBeGreaterThan(1024 * 1024);
    await eventually(async () => expect(await value('backlog_records')).toBe(0));
    await gate.busTakes(false);
    await gate.sendOnly('/mcp', { method: 'PUT' });
    // The client of above may have come back for its stream, and be recorded too.
    expect(await value('backlog_records')).toBeGreaterThan(0);
    expect(await value('backlog_bytes')).toBeGreaterThan(0);
    await gate.busTakes(true);
    await eventually(async () => expect(await value('backlog_records')).toBe(0), {
      timeoutMs: 20_000,
    });
  });
});

describe('the scrape itself', () => {
  it('says everything of the gate under its service, and in known families', async () => {
    const { text }: Scraped = await scrape(gate.url);
    const foreign = text
      .split('\n')
      .filter(
        (line) => line.startsWith('gatehouse_gateway_') && !line.includes('service="gateway"'),
      );
    expect(foreign).toEqual([]);
  });
});
