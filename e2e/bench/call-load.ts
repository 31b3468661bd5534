import { setTimeout as sleep } from 'node:timers/promises';
import { openRawSession } from './raw-session.ts';

/** Calls that go on beside what is measured. */
export interface CallLoad {
  /** Ends it, and answers how many calls a second were really answered. */
  stop(): Promise<number>;
}

/** Calls `tool` at every endpoint, evenly spread, `perSecond` times a second and endpoint; a call that is late is not made up for. */
export async function startCallLoad(
  endpoints: readonly string[],
  token: string,
  tool: string,
  perSecond: number,
): Promise<CallLoad> {
  const sessions = await Promise.all(endpoints.map((endpoint) => openRawSession(endpoint, token)));
  const began = performance.now();
  let answered = 0;
  let failure: unknown;
  const ending = new AbortController();
  const loops = sessions.map(async (session) => {
    for (let due = performance.now(); !ending.signal.aborted; due += 1_000 / perSecond) {
      await sleep(Math.max(0, due - performance.now()));
      due = Math.max(due, performance.now() - 1_000 / perSecond);
      await session.call(tool, { message: 'load' });
      answered += 1;
    }
  });
  const all = Promise.all(loops).catch((error: unknown) => (failure = error));
  return {
    async stop() {
      ending.abort();
      await all;
      for (const session of sessions) session.close();
      if (failure !== undefined) throw new Error('the load broke off', { cause: failure });
      return answered / ((performance.now() - began) / 1_000);
    },
  };
}
