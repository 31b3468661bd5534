import { setTimeout as sleep } from 'node:timers/promises';
import { openDoorSession, type DoorSession } from '../harness/door-session.ts';

/** One client that calls without end, and begins a new session when its own is gone. */
interface DoorCaller {
  readonly session: DoorSession;
  /** The names of the calls that were answered to it. */
  readonly answered: readonly string[];
}

/** Clients that call at once, each with a key of its own. */
export interface DoorCallers {
  readonly callers: readonly DoorCaller[];
  readonly answered: readonly string[];
  /** What no client should ever be told. */
  readonly unexpected: readonly string[];
  stop(): Promise<void>;
}

const EVERY_MS = 60;

/** What a client may meet while a node goes: a broken connection, the proxy without a node, a session that the other does not know. */
const PASSING = new Set([404, 502, 503]);

/** Starts a caller of the echo tool for each key. */
export async function startCallersThroughTheDoor(
  door: string,
  tokens: readonly string[],
): Promise<DoorCallers> {
  const ending = new AbortController();
  const unexpected: string[] = [];
  const started = await Promise.all(
    tokens.map(async (token, index) => {
      const caller = { session: await openDoorSession(door, token), answered: [] as string[] };
      const run = async (): Promise<void> => {
        for (let count = 0; !ending.signal.aborted; count += 1) {
          await sleep(EVERY_MS);
          const name = `${index}-${count}`;
          const answer = await caller.session
            .call('everything__echo', { message: name })
            .catch(() => undefined);
          if (answer?.status === 200 && answer.body.includes(`Echo: ${name}`))
            caller.answered.push(name);
          else if (answer === undefined || PASSING.has(answer.status))
            caller.session = await openDoorSession(door, token).catch(() => caller.session);
          else unexpected.push(`${answer.status} ${answer.body}`);
        }
      };
      return { caller, run };
    }),
  );
  const running = Promise.all(started.map(({ run }) => run()));
  const callers = started.map(({ caller }) => caller);
  return {
    callers,
    get answered() {
      return callers.flatMap(({ answered }) => answered);
    },
    unexpected,
    async stop() {
      ending.abort();
      await running;
    },
  };
}
