import { expectCut, HOLDER, type RightInUse, type Stage, type Subject } from './rights-in-use.ts';
import type { End } from './watched-session.ts';

/** Who keeps the log that a change is appended to. */
export type Owner = 'identity' | 'policy' | 'registry';

/** Somebody with a right, and the change that takes it away. */
export interface Holder {
  readonly subject: Subject;
  readonly token: string;
  takeAway(): Promise<unknown>;
  /** Makes room for the next holder. */
  restore?(): Promise<unknown>;
}

/** One way in which a right ends. */
export interface WayToEnd {
  readonly owner: Owner;
  /** Whether the key gives no access any more: then the sessions end too, and not the calls alone. */
  readonly endsSessions: boolean;
  nextHolder(): Promise<Holder>;
}

/** Every way in which a right ends while it is being used. */
export const waysToEnd = {
  'user deactivated': userDeactivated,
  'role revoked': roleRevoked,
  'server suspended': serverSuspended,
  'key revoked': keyRevoked,
  'policy published': policyPublished,
} satisfies Readonly<Record<string, (stage: Stage) => Promise<WayToEnd>>>;

export type WayName = keyof typeof waysToEnd;

/** Their names, in the order of `waysToEnd`. */
export const wayNames = Object.keys(waysToEnd) as readonly WayName[];

/** The moments of one change, by the clock of `performance`: at each entrance when its call was cut, and when its stream ended. */
export interface Ending {
  readonly asked: number;
  readonly answered: number;
  readonly calls: readonly number[];
  /** Undefined where the sessions go on. */
  readonly streams: readonly number[] | undefined;
}

// Longer than any effect may take, so that one that never comes fails the run instead of hanging it.
const NEVER_MS = 15_000;

/** Takes a right away while it is being used; throws unless all that should end does, because of it and in order. */
export async function endRight(
  { endsSessions }: WayToEnd,
  holder: Holder,
  { entrances }: RightInUse,
): Promise<Ending> {
  const asked = performance.now();
  const answer = holder.takeAway().then(() => performance.now());
  const ends = async (what: 'call' | 'stream'): Promise<readonly number[]> => {
    const ended = await inTime(Promise.all(entrances.map((entrance) => entrance[what])), what);
    ended.forEach(what === 'call' ? expectCut : expectClosed);
    const moments = ended.map(({ at }) => at);
    if (Math.min(...moments) < asked) throw new Error(`a ${what} ended before the change`);
    return moments;
  };
  const [answered, calls, streams] = await Promise.all([
    answer,
    ends('call'),
    endsSessions ? ends('stream') : undefined,
  ]);
  return { asked, answered, calls, streams };
}

function expectClosed({ isWhole }: End): void {
  if (!isWhole) throw new Error('a stream was not closed, but broke');
}

async function inTime<T>(ends: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const never = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`a ${what} was not cut`)), NEVER_MS);
  });
  return Promise.race([ends, never]).finally(() => clearTimeout(timer));
}

async function userDeactivated(stage: Stage): Promise<WayToEnd> {
  const mutation = `mutation ($input: DeactivateUserInput!) { deactivateUser(input: $input) { user { active } } }`;
  return {
    owner: 'identity',
    endsSessions: true,
    async nextHolder() {
      const subject = await stage.newUser();
      await stage.assign(subject, HOLDER);
      const { token } = await stage.newKey(subject);
      const input = { userId: subject.id, reason: 'left the company' };
      return { subject, token, takeAway: () => stage.world.ask(mutation, { input }) };
    },
  };
}

async function roleRevoked(stage: Stage): Promise<WayToEnd> {
  const mutation = `mutation ($input: RevokeRoleInput!) { revokeRole(input: $input) { __typename } }`;
  const subject = await stage.newAgent();
  const { token } = await stage.newKey(subject);
  return {
    owner: 'identity',
    endsSessions: false,
    async nextHolder() {
      await stage.assign(subject, HOLDER);
      const input = { assignee: subject, role: HOLDER };
      return { subject, token, takeAway: () => stage.world.ask(mutation, { input }) };
    },
  };
}

async function serverSuspended(stage: Stage): Promise<WayToEnd> {
  const mutation = `mutation { resumeServer(input: { slug: "holding" }) { server { status } } }`;
  const subject = await stage.newAgent();
  await stage.assign(subject, HOLDER);
  const { token } = await stage.newKey(subject);
  return {
    owner: 'registry',
    endsSessions: false,
    nextHolder: async () => ({
      subject,
      token,
      takeAway: () => stage.world.admin.suspend('holding', 'under suspicion'),
      restore: () => stage.world.ask(mutation),
    }),
  };
}

async function keyRevoked(stage: Stage): Promise<WayToEnd> {
  const subject = await stage.newAgent();
  await stage.assign(subject, HOLDER);
  return {
    owner: 'identity',
    endsSessions: true,
    async nextHolder() {
      const { token, keyId } = await stage.newKey(subject);
      return { subject, token, takeAway: () => stage.world.admin.revokeKey(keyId, 'lost') };
    },
  };
}

async function policyPublished(stage: Stage): Promise<WayToEnd> {
  const role = 'published';
  const publish = (mode: 'WRITE' | 'OFF'): Promise<void> =>
    stage.world.admin.defineRole(role, '', { holding: [{ tool: 'hold', mode }] });
  await publish('OFF');
  const subject = await stage.newAgent();
  await stage.assign(subject, role);
  const { token } = await stage.newKey(subject);
  return {
    owner: 'policy',
    endsSessions: false,
    async nextHolder() {
      await publish('WRITE');
      return { subject, token, takeAway: () => publish('OFF') };
    },
  };
}
