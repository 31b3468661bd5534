import { withSpan } from '@gatehouse/platform';
import { recordSpans, type RecordedSpans } from '@gatehouse/platform/testing';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  GateUnderTest,
  initializeBody,
  mcpHeaders,
  type Exchanged,
  type TestAgent,
} from '../test/gate-under-test.ts';
import { startOddServer } from '../test/odd-server.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const OTHER = '4bf92f3577b34da6a3ce929d0e0e4736';
const PARENT = 'b7ad6b7169203331';
const GIVEN = `00-${TRACE}-${PARENT}-01`;
const ILL = `00-${'0'.repeat(32)}-${PARENT}-01`;
const SECRET = 'an argument that is nobody else’s concern';

let odd: Awaited<ReturnType<typeof startOddServer>>;
let gate: GateUnderTest;
let agent: TestAgent;
let session: string;
let lastId = 0;

beforeAll(async () => {
  odd = await startOddServer();
  gate = await GateUnderTest.start();
  await gate.roles({ name: 'user', connectors: [{ slug: '*', tools: { '*': 'write' } }] });
  const tools = { read: ['echo', 'error', 'slow'], write: [] };
  await gate.server('odd', { kind: 'streamable-http', url: odd.url }, tools);
  agent = await gate.agent('tester', ['user']);
  await gate.ready();
  session = await sessionOf(agent);
});
afterAll(async () => {
  await gate?.stop();
  await odd?.stop();
});

async function sessionOf({ token }: TestAgent): Promise<string> {
  const body = JSON.stringify(initializeBody());
  const init = { method: 'POST', headers: mcpHeaders(token), body };
  return (await gate.send('/mcp', init)).headers.get('mcp-session-id')!;
}

interface Carried {
  readonly header?: string;
  readonly meta?: object;
  readonly token?: string;
}

function call(name: string, { header, meta, token = agent.token }: Carried): Promise<Exchanged> {
  const params = { name, arguments: { secret: SECRET }, ...(meta && { _meta: meta }) };
  return gate.send('/mcp', {
    method: 'POST',
    headers: {
      ...mcpHeaders(token, session),
      ...(header === undefined ? {} : { traceparent: header }),
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: (lastId += 1), method: 'tools/call', params }),
  });
}

/** What the server was told of the trace, by header and by message. */
const told = (): unknown[] => [odd.traceparents.at(-1), odd.metas.at(-1)?.['traceparent']];

describe('a gate that does not trace', () => {
  it.each<[string, Carried, string | null, string | undefined]>([
    ['no trace', {}, null, undefined],
    ['a trace in its header', { header: GIVEN }, TRACE, GIVEN],
    ['a trace in its message', { meta: { traceparent: GIVEN } }, TRACE, GIVEN],
    [
      'two, of which the message is right',
      { header: `00-${OTHER}-${PARENT}-01`, meta: { traceparent: GIVEN } },
      TRACE,
      GIVEN,
    ],
    ['one that is none, in its header', { header: ILL }, null, undefined],
    ['one that is none, in its message', { meta: { traceparent: ILL } }, null, undefined],
    ['one that is no text', { meta: { traceparent: { a: 1 } } }, null, undefined],
    ['one of each', { header: GIVEN, meta: { traceparent: 'what is this' } }, TRACE, GIVEN],
  ])(
    'records the trace of a call that carries %s, and hands it on as it is',
    async (_what, carried, traceId, onward) => {
      const { outcome } = await call('odd__echo', carried);
      expect(outcome).toMatchObject({ outcome: 'ok', traceId });
      expect(told()).toEqual([onward, onward]);
    },
  );

  it('records the trace of who is refused, too', async () => {
    const { outcome } = await call('odd__echo', { header: GIVEN, token: 'stranger' });
    expect(outcome).toMatchObject({ decision: 'deny', traceId: TRACE });
  });
});

describe('a gate that traces', () => {
  let spans: RecordedSpans;
  beforeAll(() => {
    spans = recordSpans();
  });
  beforeEach(() => spans.forget());
  afterAll(() => spans.stop());

  const ended = (name: string): Promise<ReturnType<RecordedSpans['only']>> =>
    eventually(() => spans.only(name));
  const server = (): Promise<ReturnType<RecordedSpans['only']>> =>
    eventually(() => {
      const found = spans.all().filter(({ kind }) => kind === 1);
      expect(found).toHaveLength(1);
      return found[0]!;
    });

  it('goes on with the caller’s trace to the server behind it, and says what happened but not what was said', async () => {
    const { outcome } = await call('odd__echo', { header: GIVEN, meta: { kept: 1 } });
    const served = await server();
    const forwarded = spans.all().find(({ kind }) => kind === 2);
    expect(served).toMatchObject({
      name: 'tools/call echo',
      traceId: TRACE,
      parentId: PARENT,
      failed: false,
      attributes: {
        'mcp.method.name': 'tools/call',
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': 'echo',
        'gatehouse.server': 'odd',
        'gatehouse.decision': 'allow',
        'gatehouse.outcome': 'ok',
        'gatehouse.request.id': outcome.requestId,
        'jsonrpc.request.id': String(lastId),
      },
    });
    expect(forwarded).toMatchObject({ traceId: TRACE, parentId: served.id });
    const onward = `00-${TRACE}-${forwarded?.id}-01`;
    expect(told()).toEqual([onward, onward]);
    expect(odd.metas.at(-1)).toEqual({ kept: 1, traceparent: onward });
    expect(outcome.traceId).toBe(TRACE);
    expect(JSON.stringify(spans.all())).not.toContain(SECRET);
    expect(JSON.stringify(spans.all())).not.toContain(agent.token);
    expect(JSON.stringify(spans.all())).not.toContain(session);
  });

  it('begins a trace where there is none, and records it', async () => {
    const { outcome } = await call('odd__echo', { header: ILL });
    const served = await server();
    expect(served.parentId).toBeUndefined();
    expect(outcome.traceId).toBe(served.traceId);
  });

  it('names no span by what a caller made up', async () => {
    await call('odd__nothing-of-the-kind', { header: GIVEN });
    expect(await server()).toMatchObject({
      name: 'tools/call',
      failed: true,
      attributes: { 'error.type': '-32602', 'gatehouse.reason': 'tool-unknown' },
    });
  });

  it('does not let a stranger write into a trace, but records which one they named', async () => {
    const { outcome } = await call('odd__echo', { header: GIVEN, token: 'stranger' });
    const served = await server();
    expect(served).toMatchObject({ parentId: undefined, failed: true });
    expect(served.traceId).not.toBe(TRACE);
    expect(outcome.traceId).toBe(TRACE);
  });

  it('shows in the trace of a change what that set off: the sessions that ended, the calls that were cut', async () => {
    const victim = await gate.agent('victim', ['user']);
    const opened = await sessionOf(victim);
    const stream = await gate.sendOnly('/mcp', { headers: mcpHeaders(victim.token, opened) });
    expect(stream.status).toBe(200);
    spans.forget();
    await withSpan('relay identity', { from: GIVEN }, () =>
      gate.principal({ ...victim.state, active: false }),
    );
    await stream.text();
    const applied = await ended('gateway.apply-state');
    expect(applied).toMatchObject({ traceId: TRACE, parentId: spans.only('relay identity').id });
    expect(spans.only('gateway.end-sessions')).toMatchObject({
      traceId: TRACE,
      parentId: applied.id,
      attributes: { 'gatehouse.count': 1 },
    });
    // What had nothing to do is not said.
    expect(spans.all().map(({ name }) => name)).not.toContain('gateway.announce-tools');
  });

  it('shows what changes set off that came together in the trace of each', async () => {
    const victims = [await gate.agent('first', ['user']), await gate.agent('second', ['user'])];
    for (const victim of victims) await sessionOf(victim);
    spans.forget();
    const traces = [TRACE, OTHER];
    await Promise.all(
      victims.map((victim, index) =>
        withSpan('relay identity', { from: `00-${traces[index]}-${PARENT}-01` }, () =>
          gate.principal({ ...victim.state, active: false }),
        ),
      ),
    );
    await eventually(() => {
      const seen = spans.all().filter(({ name }) => name === 'gateway.end-sessions');
      expect(new Set(seen.map(({ traceId }) => traceId))).toEqual(new Set(traces));
    });
  });
});
