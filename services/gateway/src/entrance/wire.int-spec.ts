import { once } from 'node:events';
import { connect } from 'node:net';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { GateUnderTest, mcpHeaders, type TestAgent } from '../test/gate-under-test.ts';

let gate: GateUnderTest;
let agent: TestAgent;

beforeAll(async () => {
  gate = await GateUnderTest.start();
  await gate.roles({ name: 'user', connectors: [] });
  agent = await gate.agent('tester', ['user']);
  await gate.ready();
});
beforeEach(async () => {
  // What was recorded before is relayed before: a record of its own tells when.
  const { outcome } = await gate.send('/mcp', { method: 'PUT' });
  await eventually(() => expect(gate.records).toContain(outcome));
  gate.records.length = 0;
});
afterAll(() => gate?.stop());

const PING = '{"jsonrpc":"2.0","id":1,"method":"ping"}';

/** A request as a text, with what it takes to come in. */
function written(line: string, headers: Record<string, string>, body = PING): string {
  const all = { ...mcpHeaders(agent.token), ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${line}\r\n${lines.join('')}\r\n${body}`;
}

async function say(...pieces: string[]): Promise<string> {
  const socket = connect(Number(new URL(gate.url).port), '127.0.0.1');
  let heard = '';
  socket.setEncoding('utf8').on('data', (text: string) => void (heard += text));
  socket.on('error', () => undefined);
  for (const piece of pieces) socket.write(piece);
  await once(socket, 'close');
  return heard;
}

const whole = { 'content-length': String(PING.length), connection: 'close' };
const host = { host: 'localhost' };

it.each([
  [
    'an expectation nobody knows',
    () => written('POST /mcp HTTP/1.1', { ...host, ...whole, expect: 'foo' }),
    ['400', 'session-required', '/mcp', 'session-required'],
  ],
  [
    'a target in absolute form',
    () => written('POST http://localhost/mcp HTTP/1.1', { ...host, ...whole }),
    ['400', 'session-required', '/mcp', 'session-required'],
  ],
  [
    'a target in absolute form with the name of another host',
    () => written('POST http://rebound.example/mcp HTTP/1.1', { ...host, ...whole }),
    ['403', 'origin-refused', '/mcp', 'origin-refused'],
  ],
  [
    'no host',
    () => written('POST /mcp HTTP/1.1', whole),
    ['400', 'request-invalid', '/mcp', 'request-invalid'],
  ],
  [
    'headers beyond reason',
    () => written('POST /mcp HTTP/1.1', { ...host, ...whole, x: 'x'.repeat(40_000) }),
    ['400', 'request-invalid', '*', 'request-invalid'],
  ],
  [
    'a length that is none',
    () => written('POST /mcp HTTP/1.1', { ...host, 'content-length': 'many' }),
    ['400', 'request-invalid', '*', 'request-invalid'],
  ],
  [
    'chunks that are none',
    () => written('POST /mcp HTTP/1.1', { ...host, 'transfer-encoding': 'chunked' }, 'zz\r\n'),
    ['400', 'json-malformed', '/mcp', 'json-malformed'],
  ],
])('answers %s once, as it is recorded once', async (_what, text, expected) => {
  const heard = await say(text());
  const statuses = [...heard.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status);
  const code = /"(?:problem|code)":"([a-z-]+)"/.exec(heard)?.[1];
  await eventually(() => expect(gate.records).toHaveLength(1));
  const { outcome } = await gate.send('/mcp', { method: 'PUT' });
  await eventually(() => expect(gate.records).toContain(outcome));
  const [record, ...more] = gate.records;
  expect(more).toEqual([outcome]);
  expect([...statuses, code, record!.endpoint, record!.reason.code]).toEqual(expected);
  expect(record).toMatchObject({ phase: 'outcome', decision: 'deny', outcome: 'refused' });
  expect(record!.httpStatus).toBe(Number(statuses[0]));
});

it.each(['/mcp/', '//mcp', '/MCP', '/s/x/mcp/', '/s', '/S/x/mcp', '/s/a/b/mcp', '/%6dcp'])(
  'answers at %s that nothing is there, and records who tried',
  async (path) => {
    const headers = mcpHeaders(agent.token);
    const { status, message, outcome } = await gate.send(path, {
      method: 'POST',
      headers,
      body: PING,
    });
    expect([status, message.error?.data]).toEqual([404, { problem: 'not-found' }]);
    expect(outcome).toMatchObject({
      endpoint: path,
      principal: { id: agent.id },
      reason: { code: 'not-found' },
      httpStatus: 404,
    });
    const stranger = await gate.send(path, { method: 'GET' });
    expect([stranger.status, stranger.outcome.principal]).toEqual([404, null]);
  },
);
