import { HOLDER, type Key, type Owner, type Stage, type UnderWay } from './propagation-stage.ts';

/** When an effect was there: a moment for each gateway. All moments are milliseconds of one clock. */
export interface Sample {
  readonly asked: number;
  readonly answered: number;
  /** Undefined where the database does not keep it. */
  readonly committed: number | undefined;
  readonly there: readonly number[];
}

/** What one change did: a sample of each effect. */
export type Effects = Readonly<Record<string, Sample>>;

/** A kind of change that takes a right away: `once` makes one while the right is being used, and measures it. */
export interface Change {
  readonly name: string;
  readonly once: () => Promise<Effects>;
}

// Longer than any effect may take, so that one that never comes fails the run instead of hanging it.
const NEVER_MS = 10_000;

/** Every kind of change that is measured. */
export async function changesOn(stage: Stage): Promise<readonly Change[]> {
  return [
    userDeactivated(stage),
    await roleRevoked(stage),
    await serverSuspended(stage),
    await keyRevoked(stage),
    await policyPublished(stage),
  ];
}

function userDeactivated(stage: Stage): Change {
  const mutation = `mutation ($input: DeactivateUserInput!) { deactivateUser(input: $input) { user { active } } }`;
  return {
    name: 'user deactivated',
    async once() {
      const user = await stage.newUser();
      await stage.assign(user, HOLDER);
      const { token } = await stage.newKey(user);
      const input = { userId: user.id, reason: 'bench' };
      return measure(stage, 'identity', await stage.getUnderWay(token), ['stream', 'call'], () =>
        stage.world.ask(mutation, { input }),
      );
    },
  };
}

async function roleRevoked(stage: Stage): Promise<Change> {
  const mutation = `mutation ($input: RevokeRoleInput!) { revokeRole(input: $input) { __typename } }`;
  const assignee = await stage.newAgent();
  const { token } = await stage.newKey(assignee);
  return {
    name: 'role revoked',
    async once() {
      await stage.assign(assignee, HOLDER);
      return measure(stage, 'identity', await stage.getUnderWay(token), ['call'], () =>
        stage.world.ask(mutation, { input: { assignee, role: HOLDER } }),
      );
    },
  };
}

async function serverSuspended(stage: Stage): Promise<Change> {
  const { token } = await newHolder(stage);
  return {
    name: 'server suspended',
    async once() {
      const underWay = await stage.getUnderWay(token);
      const effects = await measure(stage, 'registry', underWay, ['call'], () =>
        stage.world.admin.suspend('holding', 'bench'),
      );
      await stage.world.ask(
        `mutation { resumeServer(input: { slug: "holding" }) { server { status } } }`,
      );
      return effects;
    },
  };
}

async function keyRevoked(stage: Stage): Promise<Change> {
  const agent = await stage.newAgent();
  await stage.assign(agent, HOLDER);
  return {
    name: 'key revoked',
    async once() {
      const { token, keyId } = await stage.newKey(agent);
      return measure(stage, 'identity', await stage.getUnderWay(token), ['stream', 'call'], () =>
        stage.world.admin.revokeKey(keyId, 'bench'),
      );
    },
  };
}

async function policyPublished(stage: Stage): Promise<Change> {
  const role = 'published';
  const publish = (mode: 'WRITE' | 'OFF'): Promise<void> =>
    stage.world.admin.defineRole(role, '', { holding: [{ tool: 'hold', mode }] });
  await publish('OFF');
  const agent = await stage.newAgent();
  await stage.assign(agent, role);
  const { token } = await stage.newKey(agent);
  return {
    name: 'policy published',
    async once() {
      await publish('WRITE');
      const underWay = await stage.getUnderWay(token);
      return measure(stage, 'policy', underWay, ['call'], () => publish('OFF'));
    },
  };
}

async function newHolder(stage: Stage): Promise<Key> {
  const agent = await stage.newAgent();
  await stage.assign(agent, HOLDER);
  return stage.newKey(agent);
}

async function measure(
  { committedLast }: Stage,
  owner: Owner,
  { streams, calls, close }: UnderWay,
  watched: readonly ('stream' | 'call')[],
  change: () => Promise<unknown>,
): Promise<Effects> {
  const asked = performance.now();
  const answer = change().then(() => performance.now());
  const seen = watched.map(async (effect) => {
    const there = await inTime(Promise.all(effect === 'stream' ? streams : calls), effect);
    if (Math.min(...there) < asked) throw new Error(`a ${effect} ended before the change`);
    return [`${effect} cut`, there] as const;
  });
  const ends = await Promise.all(seen);
  const answered = await answer;
  const committed = await committedLast(owner);
  await close();
  return Object.fromEntries(
    ends.map(([effect, there]) => [effect, { asked, answered, committed, there }]),
  );
}

async function inTime<T>(ends: Promise<T>, effect: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const never = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`the ${effect} was not cut`)), NEVER_MS);
  });
  return Promise.race([ends, never]).finally(() => clearTimeout(timer));
}
