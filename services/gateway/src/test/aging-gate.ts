import { ManualClock } from '@gatehouse/testing';
import { GateUnderTest, initializeBody, mcpHeaders, type TestAgent } from './gate-under-test.ts';
import { startOddServer } from './odd-server.ts';

/** What `startAgingGate` has started. */
export interface AgingGate {
  readonly odd: Awaited<ReturnType<typeof startOddServer>>;
  readonly clock: ManualClock;
  readonly gate: GateUnderTest;
  readonly agent: TestAgent;
  readonly session: string;
  stop(): Promise<void>;
}

/** A gate whose clock the test holds, so that what it knows can grow old; a server behind it that does as it is told; and an agent with a session. */
export async function startAgingGate(
  stateMaxAgeMs: number,
  tools: { readonly read: readonly string[]; readonly write?: readonly string[] },
): Promise<AgingGate> {
  const odd = await startOddServer();
  const clock = new ManualClock(new Date());
  const gate = await GateUnderTest.start({ clock, stateMaxAgeMs });
  await gate.roles({ name: 'user', connectors: [{ slug: '*', tools: { '*': 'write' } }] });
  await gate.server('odd', { kind: 'streamable-http', url: odd.url }, tools);
  const agent = await gate.agent('tester', ['user']);
  await gate.ready();
  const session = await sessionOf(gate, agent);
  return {
    odd,
    clock,
    gate,
    agent,
    session,
    async stop(): Promise<void> {
      await gate.stop();
      await odd.stop();
    },
  };
}

/** Opens a session, and answers its id. */
export async function sessionOf(gate: GateUnderTest, who: TestAgent): Promise<string> {
  const { headers } = await gate.send('/mcp', post(who, initializeBody()));
  return headers.get('mcp-session-id')!;
}

/** A message of somebody, in a session where there is one. */
export function post(who: TestAgent, body: object, session?: string): RequestInit {
  return {
    method: 'POST',
    headers: mcpHeaders(who.token, session),
    body: JSON.stringify(body),
  };
}
