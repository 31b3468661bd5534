import { randomUUID } from 'node:crypto';
import { eventually } from '@gatehouse/testing';
import { Client } from 'pg';
import type { World } from '../journeys/harness/world.ts';
import type { HoldingServer } from './holding-server.ts';
import { openWatchedSession, type CallEnd, type WatchedSession } from './watched-session.ts';

/** Whom a right can be taken from. */
interface Subject {
  readonly kind: 'USER' | 'AGENT';
  readonly id: string;
}

export interface Key {
  readonly keyId: string;
  readonly token: string;
}

/** Who keeps the log that a change is appended to. */
export type Owner = 'identity' | 'policy' | 'registry';

/** A Gatehouse whose server `holding` is open to the role `holder`, and what it takes to put somebody on it. */
export interface Stage {
  readonly world: World;
  newUser(): Promise<Subject>;
  newAgent(): Promise<Subject>;
  newKey(subject: Subject): Promise<Key>;
  assign(subject: Subject, role: string): Promise<void>;
  /** Opens a session, its stream and a call in it at each gateway; resolves when each call has reached the server behind. */
  getUnderWay(token: string): Promise<UnderWay>;
  /** When the newest event of an owner was committed, by the clock of `performance`; undefined where PostgreSQL does not keep that. */
  committedLast(owner: Owner): Promise<number | undefined>;
  close(): Promise<void>;
}

/** What is under way at every gateway: the moments at which it ends. */
export interface UnderWay {
  readonly streams: readonly Promise<number>[];
  readonly calls: readonly Promise<number>[];
  close(): Promise<void>;
}

export const HOLDER = 'holder';

export async function prepareStage(world: World, holding: HoldingServer): Promise<Stage> {
  const transport = { streamableHttp: { url: holding.url } };
  const { digest } = await world.admin.submit('holding', 'Holding', transport);
  await world.admin.approve('holding', digest);
  await world.admin.defineRole(HOLDER, '', { holding: [{ tool: '*', mode: 'WRITE' }] });
  const database = new Client({ connectionString: await world.gatehouse.databaseUrl() });
  await database.connect();
  const { rows } = await database.query<{ kept: string }>(
    `select current_setting('track_commit_timestamp') as kept`,
  );
  const isKept = rows[0]?.kept === 'on';
  return {
    world,
    async newUser() {
      const userName = randomUUID();
      const { provisionUser } = await world.ask<{ provisionUser: { user: { id: string } } }>(
        `mutation ($input: ProvisionUserInput!) { provisionUser(input: $input) { user { id } } }`,
        { input: { userName, displayName: userName } },
      );
      return { kind: 'USER', id: provisionUser.user.id };
    },
    async newAgent() {
      const { registerAgent } = await world.ask<{ registerAgent: { agent: { id: string } } }>(
        `mutation ($name: String!) { registerAgent(input: { name: $name }) { agent { id } } }`,
        { name: randomUUID() },
      );
      return { kind: 'AGENT', id: registerAgent.agent.id };
    },
    async newKey(principal) {
      const { issueKey } = await world.ask<{ issueKey: { token: string; key: { id: string } } }>(
        `mutation ($input: IssueKeyInput!) { issueKey(input: $input) { token key { id } } }`,
        { input: { principal, label: 'bench' } },
      );
      return { keyId: issueKey.key.id, token: issueKey.token };
    },
    async assign(assignee, role) {
      await world.ask(
        `mutation ($input: AssignRoleInput!) { assignRole(input: $input) { assignment { role } } }`,
        { input: { assignee, role } },
      );
    },
    getUnderWay: (token) => getUnderWay(world.gatehouse.gateUrls, holding, token),
    async committedLast(owner) {
      if (!isKept) return undefined;
      const { rows: newest } = await database.query<{ at: number }>(
        `select (extract(epoch from pg_xact_commit_timestamp(xmin)) * 1000)::float8 as at
         from ${owner}.event order by position desc limit 1`,
      );
      return newest[0]!.at - performance.timeOrigin;
    },
    close: () => database.end(),
  };
}

// What was just granted reaches a gateway a moment later: until then it refuses, and is asked again.
async function getUnderWay(
  gateUrls: readonly string[],
  holding: HoldingServer,
  token: string,
): Promise<UnderWay> {
  const sessions: WatchedSession[] = [];
  const streams: Promise<number>[] = [];
  const calls: Promise<number>[] = [];
  for (const url of gateUrls) {
    const session = await eventually(() => openWatchedSession(`${url}/s/holding/mcp`, token));
    sessions.push(session);
    streams.push((await session.listen()).ended);
    const { ended } = await eventually(() => startHeldCall(session, holding));
    calls.push(ended.then(({ at }) => at));
  }
  return {
    streams,
    calls,
    async close() {
      for (const session of sessions) await session.close();
    },
  };
}

async function startHeldCall(
  session: WatchedSession,
  holding: HoldingServer,
): Promise<{ readonly ended: Promise<CallEnd> }> {
  const name = randomUUID();
  const ended = session.call('hold', { name });
  const refused = ended.then(({ body }) => body);
  const refusal = await Promise.race([holding.arrival(name), refused]);
  if (refusal !== undefined) throw new Error(`the call was refused: ${refusal}`);
  return { ended };
}
