import { randomUUID } from 'node:crypto';
import { problem } from '@gatehouse/problem-catalog';
import { eventually } from '@gatehouse/testing';
import type { HoldingServer } from './holding-server.ts';
import { openWatchedSession, type End, type WatchedSession } from './watched-session.ts';
import type { World } from './world.ts';

/** Whom a right can be taken from. */
export interface Subject {
  readonly kind: 'USER' | 'AGENT';
  readonly id: string;
}

interface Key {
  readonly keyId: string;
  readonly token: string;
}

/** A Gatehouse whose server `holding` is open to the role `holder`, and what it takes to put somebody on it. */
export interface Stage {
  readonly world: World;
  newUser(): Promise<Subject>;
  newAgent(): Promise<Subject>;
  newKey(subject: Subject): Promise<Key>;
  assign(subject: Subject, role: string): Promise<void>;
  /** Uses a right at every entrance: each gateway, and the door before them where there is one. */
  use(token: string, place: Place): Promise<RightInUse>;
}

/** A right that is being used. */
export interface RightInUse {
  readonly entrances: readonly Entrance[];
  close(): Promise<void>;
}

/** What is under way at one entrance: a session, its stream, and a call that has reached the server behind. */
interface Entrance {
  readonly url: string;
  readonly session: WatchedSession;
  readonly stream: Promise<End>;
  readonly call: Promise<End>;
  /** The name among the arguments of the call. */
  readonly callName: string;
}

export const HOLDER = 'holder';

/** Where the sessions are, and what the tool is called there. */
export interface Place {
  readonly path: string;
  readonly tool: string;
}

/** The address of the server alone: who has lost it is shut out there. */
export const atTheServer: Place = { path: '/s/holding/mcp', tool: 'hold' };

/** The address of all servers, where a session goes on without one of them. */
export const atAllServers: Place = { path: '/mcp', tool: 'holding__hold' };

export async function prepareStage(world: World, holding: HoldingServer): Promise<Stage> {
  const transport = { streamableHttp: { url: holding.url } };
  const { digest } = await world.admin.submit('holding', 'Holding', transport);
  await world.admin.approve('holding', digest);
  await world.admin.defineRole(HOLDER, '', { holding: [{ tool: '*', mode: 'WRITE' }] });
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
        { input: { principal, label: 'one of several' } },
      );
      return { keyId: issueKey.key.id, token: issueKey.token };
    },
    async assign(assignee, role) {
      await world.ask(
        `mutation ($input: AssignRoleInput!) { assignRole(input: $input) { assignment { role } } }`,
        { input: { assignee, role } },
      );
    },
    use: (token, place) => {
      const { url, gateUrls } = world.gatehouse;
      const entrances = [...new Set([...gateUrls, url])];
      return useAt(entrances, place, holding, token);
    },
  };
}

// What was just granted reaches a gateway a moment later: until then it refuses, and is asked again.
async function useAt(
  urls: readonly string[],
  { path, tool }: Place,
  holding: HoldingServer,
  token: string,
): Promise<RightInUse> {
  const entrances: Entrance[] = [];
  for (const url of urls) {
    const session = await eventually(() => openWatchedSession(`${url}${path}`, token));
    const stream = (await session.listen()).ended;
    entrances.push({
      url,
      session,
      stream,
      ...(await eventually(() => startHeldCall(session, tool, holding))),
    });
  }
  return {
    entrances,
    async close() {
      for (const { session } of entrances) await session.close();
    },
  };
}

async function startHeldCall(
  session: WatchedSession,
  tool: string,
  holding: HoldingServer,
): Promise<Pick<Entrance, 'call' | 'callName'>> {
  const callName = randomUUID();
  const call = session.call(tool, { name: callName });
  const refused = call.then(({ body }) => body);
  const refusal = await Promise.race([holding.arrival(callName), refused]);
  if (refusal !== undefined) throw new Error(`the call was refused: ${refusal}`);
  return { call, callName };
}

interface RpcError {
  readonly code: number;
  readonly data?: { readonly problem?: string; readonly forwarded?: boolean };
}

/** The error in an answer, be it JSON or an event of a stream; undefined where it has none, or is not whole. */
export function errorIn({ body }: End): RpcError | undefined {
  const event = [...body.matchAll(/^data: (.+)$/gm)].at(-1)?.[1];
  try {
    return (JSON.parse(event ?? body) as { error?: RpcError }).error;
  } catch {
    return undefined;
  }
}

/** Throws unless a call was answered that the right to make it has ended, and that it was forwarded before. */
export function expectCut(end: End): void {
  const { code, data } = errorIn(end) ?? {};
  const isCut = code === problem('call-cut').rpcCode && data?.problem === 'call-cut';
  if (!isCut || data.forwarded !== true)
    throw new Error(`a held call was not cut, but ended so: ${end.status} ${end.body}`);
}
