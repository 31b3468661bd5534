import { rename } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  GateUnderTest,
  initializeBody,
  mcpHeaders,
  type TestAgent,
} from '../test/gate-under-test.ts';
import { startOddServer } from '../test/odd-server.ts';

let odd: Awaited<ReturnType<typeof startOddServer>>;

beforeAll(async () => void (odd = await startOddServer()));
afterAll(() => odd?.stop());

async function gateWithAgent(
  settings: Parameters<typeof GateUnderTest.start>[0] = {},
): Promise<{ gate: GateUnderTest; agent: TestAgent }> {
  const gate = await GateUnderTest.start(settings);
  await gate.roles({ name: 'user', connectors: [{ slug: '*', tools: { '*': 'write' } }] });
  const tools = { read: ['echo', 'progress'], write: ['change'] };
  await gate.server('odd', { kind: 'streamable-http', url: odd.url }, tools);
  const agent = await gate.agent('tester', ['user']);
  await gate.ready();
  return { gate, agent };
}

const post = (token: string, body: object, session?: string) => ({
  method: 'POST',
  headers: mcpHeaders(token, session),
  body: JSON.stringify(body),
});
const callOf = (name: string, id: number) => ({
  jsonrpc: '2.0',
  id,
  method: 'tools/call',
  params: { name },
});
const phasesOf = (gate: GateUnderTest, tool: string) =>
  gate.records.filter((record) => record.tool === tool).map(({ phase }) => phase);

async function sessionOf(gate: GateUnderTest, agent: TestAgent): Promise<string> {
  const opened = await gate.send('/mcp', post(agent.token, initializeBody()));
  return opened.headers.get('mcp-session-id')!;
}

describe('a gate whose evidence takes its time', () => {
  let gate: GateUnderTest;
  let agent: TestAgent;
  let session: string;
  beforeAll(async () => {
    ({ gate, agent } = await gateWithAgent());
    session = await sessionOf(gate, agent);
  });
  afterAll(() => gate?.stop());

  const asking = (id: number, args?: object) => ({
    ...callOf('odd__progress', id),
    params: {
      name: 'odd__progress',
      _meta: { progressToken: 'mine' },
      ...(args && { arguments: args }),
    },
  });
  it('lets nothing of a read out before there is a record of it', async () => {
    const called = odd.called.length;
    gate.slow.hold();
    let status: number | undefined;
    const asked = gate.sendOnly('/mcp', post(agent.token, asking(1, {}), session));
    void asked.then((response) => void (status = response.status));
    await eventually(() => expect(odd.called.length).toBeGreaterThan(called));
    await gate.slow.waiting(1);
    await sleep(100);
    expect(status).toBeUndefined();
    gate.slow.release();
    const reader = (await asked).body!.pipeThrough(new TextDecoderStream()).getReader();
    let heard = '';
    while (!heard.includes('"progress":2')) heard += (await reader.read()).value ?? '';
    expect(heard).toContain('half of what was asked for');
    // The call is still under way; its one trace is there already.
    await eventually(() => expect(phasesOf(gate, 'progress')).toEqual(['intent']));
    const cancelled = {
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 1 },
    };
    await gate.send('/mcp', post(agent.token, cancelled, session));
    while (!(await reader.read()).done);
    await eventually(() => expect(phasesOf(gate, 'progress')).toEqual(['intent', 'outcome']));
  });

  it('sends progress before the answer that came while it waited for its record', async () => {
    gate.slow.hold();
    const asked = gate.sendOnly('/mcp', post(agent.token, asking(2), session));
    await gate.slow.waiting(1);
    await sleep(50);
    gate.slow.release();
    const said = (await (await asked).text()).split('\n').filter((l) => l.startsWith('data: {'));
    expect(said.map((line) => JSON.parse(line.slice(6)) as object)).toMatchObject([
      { params: { progress: 1, progressToken: 'mine' } },
      { params: { progress: 2 } },
      { id: 2, result: { content: [] } },
    ]);
  });

  it('lets no progress out that cannot be recorded', async () => {
    const called = odd.called.length;
    gate.slow.hold();
    const asked = gate.sendOnly('/mcp', post(agent.token, asking(3, {}), session));
    await eventually(() => expect(odd.called.length).toBeGreaterThan(called));
    await gate.slow.waiting(1);
    await gate.evidence.stop();
    gate.slow.release();
    const response = await asked;
    expect([response.status, await response.json()]).toMatchObject([
      503,
      { id: 3, error: { data: { problem: 'evidence-unavailable' } } },
    ]);
    await gate.evidence.start();
  });

  it('does not connect for a call that was given up while its intent was written down', async () => {
    const { gate: fresh, agent: own } = await gateWithAgent();
    const id = await sessionOf(fresh, own);
    const { opened } = odd;
    fresh.slow.hold();
    const asked = fresh.sendOnly('/mcp', post(own.token, callOf('odd__change', 4), id));
    await fresh.slow.waiting(1);
    const cancelled = {
      jsonrpc: '2.0',
      method: 'notifications/cancelled',
      params: { requestId: 4 },
    };
    const accepted = fresh.sendOnly('/mcp', post(own.token, cancelled, id));
    await fresh.slow.waiting(2);
    fresh.slow.release();
    expect(await (await asked).json()).toMatchObject({
      error: { data: { problem: 'call-cancelled' } },
    });
    expect((await accepted).status).toBe(202);
    await sleep(100);
    expect(odd.opened).toBe(opened);
    await fresh.stop();
  });

  it('keeps the keys of the protocol itself to one hop', async () => {
    const _meta = { 'io.modelcontextprotocol/clientInfo': { name: 'x' }, 'example.com/kept': 1 };
    const body = { ...callOf('odd__echo', 5), params: { name: 'odd__echo', _meta } };
    expect((await gate.send('/mcp', post(agent.token, body, session))).status).toBe(200);
    expect(odd.metas.at(-1)).toEqual({ 'example.com/kept': 1 });
  });
});

describe('a gate whose disk breaks', () => {
  it('forwards nothing once it knows, reads neither, and goes on when the disk has healed', async () => {
    const { gate, agent } = await gateWithAgent();
    const session = await sessionOf(gate, agent);
    const read = () => gate.sendOnly('/mcp', post(agent.token, callOf('odd__echo', 1), session));
    const called = () => odd.called.length;
    const before = called();
    await gate.send('/mcp', post(agent.token, callOf('odd__echo', 1), session));
    expect([called() - before, phasesOf(gate, 'echo')]).toEqual([1, ['outcome']]);
    // The spool looks at its volume once a second.
    await sleep(1_100);
    await rename(gate.spoolDirectory, `${gate.spoolDirectory}.away`);
    const refused = await read();
    expect([refused.status, await refused.json()]).toMatchObject([
      503,
      { error: { data: { problem: 'evidence-unavailable' } } },
    ]);
    // From here on it is known. Between its tries the spool refuses at once; each try is an intent, and no call.
    const known = called();
    for (let n = 0; n < 15; n += 1) {
      expect((await read()).status).toBe(503);
      await sleep(100);
    }
    expect(called()).toBe(known);
    await rename(`${gate.spoolDirectory}.away`, gate.spoolDirectory);
    await eventually(async () => expect((await read()).status).toBe(200));
    expect((await read()).status).toBe(200);
    await eventually(() =>
      expect(phasesOf(gate, 'echo')).toEqual(['outcome', 'intent', 'outcome', 'outcome']),
    );
    expect(called()).toBe(known + 2);
    await gate.stop();
  });
});

describe('a gate whose evidence piles up because the bus takes none', () => {
  it('forwards no read while more waits than may, and goes on once it is relayed', async () => {
    const { gate, agent } = await gateWithAgent({ spoolBacklogBytes: 8_000 });
    const session = await sessionOf(gate, agent);
    const read = async () =>
      (await gate.sendOnly('/mcp', post(agent.token, callOf('odd__echo', 1), session))).status;
    expect(await read()).toBe(200);
    await gate.busTakes(false);
    await eventually(async () => expect(await read()).toBe(503));
    const called = odd.called.length;
    expect([await read(), await read(), odd.called.length]).toEqual([503, 503, called]);
    await gate.busTakes(true);
    await eventually(async () => expect(await read()).toBe(200), { timeoutMs: 15_000 });
    await gate.stop();
  }, 30_000);
});
