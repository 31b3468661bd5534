import { readFile } from 'node:fs/promises';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { eventually, everythingStdio } from '@gatehouse/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { GateUnderTest, type TestAgent } from '../test/gate-under-test.ts';
import { startOddServer } from '../test/odd-server.ts';

let odd: Awaited<ReturnType<typeof startOddServer>>;
let gate: GateUnderTest;
let agent: TestAgent;
let client: Client;
const clients: Client[] = [];
const local = { kind: 'stdio' as const, ...everythingStdio(), env: {} };

beforeAll(async () => {
  odd = await startOddServer();
  gate = await GateUnderTest.start({ upstreamIdleMs: 1_500, callTimeoutMs: 5_000 });
  await gate.roles({ name: 'user', connectors: [{ slug: '*', tools: { '*': 'write' } }] });
  await gate.server(
    'odd',
    { kind: 'streamable-http', url: odd.url },
    { read: ['echo', 'lost', 'asks'], write: ['fails'] },
  );
  await gate.server('local', { ...local, args: [...local.args] }, { read: ['echo', 'get-env'] });
  await gate.server(
    'forbidden',
    { kind: 'stdio', command: '/bin/sh', args: ['-c', 'exit 0'], env: {} },
    { read: ['echo'] },
  );
  await gate.server(
    'crashing',
    { kind: 'stdio', command: process.execPath, args: ['-e', 'process.exit(3)'], env: {} },
    { read: ['echo'] },
  );
  agent = await gate.agent('tester', ['user']);
  await gate.ready();
  client = await connect(agent);
});
afterEach(() => void odd.called.splice(0));
afterAll(async () => {
  for (const open of clients) await open.close();
  await gate?.stop();
  await odd?.stop();
});

async function connect(as: TestAgent): Promise<Client> {
  const opened = new Client({ name: 'c', version: '1' });
  clients.push(opened);
  await opened.connect(
    new StreamableHTTPClientTransport(new URL(`${gate.url}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${as.token}` } },
    }),
  );
  return opened;
}

/** The child processes of this process that run server-everything. */
async function children(): Promise<number[]> {
  const pids = (await readFile(`/proc/self/task/${process.pid}/children`, 'utf8'))
    .trim()
    .split(' ');
  const running = await Promise.all(
    pids.filter(Boolean).map(async (pid) => {
      const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
      return line.includes('server-everything') ? [Number(pid)] : [];
    }),
  );
  return running.flat();
}

describe('a session that the server behind the gate has forgotten', () => {
  it('is opened anew for a read, which is then made', async () => {
    await client.callTool({ name: 'odd__echo', arguments: {} });
    odd.forgetSessions();
    const { content } = await client.callTool({ name: 'odd__echo', arguments: {} });
    expect(content).toEqual([{ type: 'text', text: '{}' }]);
    expect(odd.called).toEqual(['echo', 'echo', 'echo']);
  });

  it('fails a write, which is not repeated; the next one finds a new session', async () => {
    odd.forgetSessions();
    await expect(client.callTool({ name: 'odd__fails', arguments: {} })).rejects.toThrow(
      'cannot be reached',
    );
    expect(odd.called).toEqual(['fails']);
    await expect(client.callTool({ name: 'odd__fails', arguments: {} })).rejects.toThrow(
      'no luck today',
    );
  });

  it('is opened anew once, not for ever', async () => {
    await expect(client.callTool({ name: 'odd__lost', arguments: {} })).rejects.toThrow(
      'cannot be reached',
    );
    expect(odd.called).toEqual(['lost', 'lost']);
  });
});

describe('what a server says outside of its answer', () => {
  it('stays behind the gate: it may ask for nothing, and nobody hears its logs', async () => {
    const heard: unknown[] = [];
    client.fallbackNotificationHandler = async (notification) => void heard.push(notification);
    await client.callTool(
      { name: 'odd__asks', arguments: {} },
      { onprogress: (progress) => void heard.push(progress) },
    );
    await eventually(() => expect(odd.answers).toHaveLength(2));
    expect(odd.answers.find(({ id }) => (id as unknown) === 'q1')?.error?.code).toBe(-32601);
    expect(odd.answers.find(({ id }) => (id as unknown) === 'q2')?.result).toEqual({});
    expect(heard).toEqual([]);
  });
});

describe('a server over stdio', () => {
  const echo = (as: Client) => as.callTool({ name: 'local__echo', arguments: { message: 'hi' } });

  it('is a process of its own for each principal, started once however many ask at a time', async () => {
    await Promise.all([echo(client), echo(client), echo(client)]);
    expect(await children()).toHaveLength(1);
    const [second, third] = [
      await connect(await gate.agent('other', ['user'])),
      await connect(agent),
    ];
    await Promise.all([echo(second), echo(third)]);
    expect(await children()).toHaveLength(2);
  });

  it('is started again when it died', async () => {
    await echo(client);
    for (const pid of await children()) process.kill(pid, 'SIGKILL');
    await eventually(async () => expect((await echo(client)).content).toBeDefined());
  });

  it('is ended when nobody has used it for a while', async () => {
    await echo(client);
    await eventually(async () => expect(await children()).toEqual([]), { timeoutMs: 8_000 });
  });

  it('is ended when it leaves service', async () => {
    await echo(client);
    expect(await children()).not.toEqual([]);
    await gate.server('local', { ...local, args: [...local.args] }, { read: ['echo'] }, false);
    await eventually(async () => expect(await children()).toEqual([]));
    await gate.server('local', { ...local, args: [...local.args] }, { read: ['echo'] });
    await eventually(() => echo(client));
  });

  it('is never started by a command that the operator did not list', async () => {
    await expect(client.callTool({ name: 'forbidden__echo', arguments: {} })).rejects.toThrow(
      'cannot be reached',
    );
    const record = await eventually(() => {
      const found = gate.records.find((r) => r.server === 'forbidden' && r.phase === 'outcome');
      expect(found).toBeDefined();
      return found!;
    });
    expect(record.reason).toEqual({
      code: 'upstream-unavailable',
      text: "the command /bin/sh is not on the operator's list",
    });
  });

  it('is unavailable when it ends at once', async () => {
    await expect(client.callTool({ name: 'crashing__echo', arguments: {} })).rejects.toThrow(
      'cannot be reached',
    );
  });

  it('is gone once the gate has stopped', async () => {
    await echo(client);
    const pids = await children();
    expect(pids.length).toBeGreaterThan(0);
    await gate.gate.worker.stop();
    expect(await children()).toEqual([]);
  });
});
