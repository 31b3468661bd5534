import { createLogger } from '@gatehouse/platform';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  GateUnderTest,
  initializeBody,
  mcpHeaders,
  type TestAgent,
} from '../test/gate-under-test.ts';

const PINO_WARN = 40;
const MANY = 20;

let gate: GateUnderTest;
let agent: TestAgent;
/** How long ago owners seem to have spoken. */
let lateMs = 0;
const lines: { readonly level: number; readonly msg: string; readonly alarm?: boolean }[] = [];
const grave = () => lines.filter(({ level }) => level >= PINO_WARN);

beforeAll(async () => {
  const write = (line: string) => void lines.push(JSON.parse(line) as (typeof lines)[number]);
  gate = await GateUnderTest.start({
    log: createLogger({ service: 'test', level: 'debug', destination: { write } }),
    clock: { now: () => new Date(Date.now() + lateMs) },
    stateMaxAgeMs: 60_000,
  });
  await gate.roles({ name: 'user', connectors: [] });
  agent = await gate.agent('tester', ['user']);
  await gate.ready();
});
afterAll(() => gate?.stop());
beforeEach(() => void (lines.length = 0));

async function refusedManyTimes(): Promise<void> {
  const init = {
    method: 'POST',
    headers: mcpHeaders(agent.token),
    body: JSON.stringify(initializeBody()),
  };
  for (let call = 0; call < MANY; call += 1)
    expect((await gate.sendOnly('/mcp', init)).status).toBe(503);
}

describe('a gate that must refuse every call', () => {
  it('has no grave line for each that cannot be recorded', async () => {
    await gate.evidence.stop();
    await refusedManyTimes();
    await gate.evidence.start();
    expect(grave()).toEqual([]);
    const quiet = lines.filter(({ msg }) => msg === 'a request could not be recorded');
    expect(quiet).toHaveLength(MANY);
  });

  it('alarms once while it cannot know, and once when it knows again', async () => {
    gate.ownersFallSilent();
    lateMs = 120_000;
    await refusedManyTimes();
    await expect.poll(() => grave()).toMatchObject([{ alarm: true }]);
    gate.ownersSpeak();
    await expect
      .poll(() => grave(), { timeout: 10_000 })
      .toMatchObject([{ alarm: true }, { alarm: false }]);
  });
});
