import { randomBytes } from 'node:crypto';
import {
  topics,
  type Actor,
  type DomainEvent,
  type PrincipalState,
  type RoleDefinition,
} from '@gatehouse/event-catalog';
import type { DecisionContext } from '@gatehouse/event-sourcing';
import { host, systemClock, type Clock, type Hosted, type Logger } from '@gatehouse/platform';
import { publishBeats, startTestPlatform, type TestPlatform } from '@gatehouse/platform/testing';
import { mintKey, newKeyId } from '@gatehouse/principal-directory';
import { eventually } from '@gatehouse/testing';
import type { GraphQLError } from 'graphql';
import { adminConfig, type AdminConfig } from '../admin.config.ts';
import { adminService } from '../admin.module.ts';
import { adminMigrations } from '../migrations.ts';
import { ownerSchemas, TestOwners } from './test-owners.ts';

export interface GraphqlAnswer {
  readonly status: number;
  readonly contentType: string | null;
  // What a test reads out of an answer is for the test to know.
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly data: any;
  readonly errors: readonly GraphQLError[];
  // oxlint-disable-next-line typescript/no-explicit-any
  readonly body: any;
}

/** A running admin service between owners that stand in for the real ones, on a real database and bus. */
export interface RunningAdmin {
  readonly test: TestPlatform;
  readonly hosted: Hosted;
  readonly owners: TestOwners;
  /** Bearer tokens by the name of their holder: `administrator`, `observer`, `stranger`, `leaver`. */
  readonly tokens: Readonly<Record<string, string>>;
  ask(query: string, variables?: object, token?: string): Promise<GraphqlAnswer>;
  /** Appends to an owner's stream and waits until the read model has it. */
  given(stream: string, ...events: DomainEvent[]): Promise<void>;
  /** The owners say that all is told: now, and every half second from now on. Resolves when admin is ready. */
  speak(): Promise<void>;
  /** The owners say nothing more. */
  fallSilent(): Promise<void>;
  stop(): Promise<void>;
}

const BEAT_MS = 500;
const STATE_TOPICS = [topics.principalsState, topics.policyState];

const ADA: Actor = { kind: 'user', id: 'administrator', name: 'administrator' };

const managing = (name: string, management: RoleDefinition['management']): RoleDefinition => ({
  name,
  description: '',
  management,
  connectors: [],
});

const ROLES: readonly RoleDefinition[] = [
  managing('admin', 'administer'),
  managing('viewer', 'observe'),
  managing('developer', 'none'),
];

export interface AdminOptions {
  readonly config?: Partial<AdminConfig>;
  /** Leaves the state topics empty, as on a gate that has never been set up. */
  readonly withoutState?: boolean;
  readonly clock?: Clock;
  readonly log?: Logger;
}

/** Starts one, with four people who each hold a key. */
export async function startAdmin({
  config = {},
  withoutState = false,
  clock = systemClock,
  log,
}: AdminOptions = {}): Promise<RunningAdmin> {
  const test = await startTestPlatform({
    schemas: [adminMigrations, ...ownerSchemas],
    clock,
    ...(log === undefined ? {} : { log }),
  });
  const { platform } = test;
  const people = [
    person('administrator', ['admin']),
    person('observer', ['viewer']),
    person('stranger', ['developer']),
    person('leaver', ['admin'], false),
  ];
  if (!withoutState) {
    const principals = people.map(({ state }) => message(`user:${state.id}`, state));
    await platform.bus.publish(topics.principalsState, principals);
    await platform.bus.publish(topics.policyState, [
      message('bundle', { number: 1, roles: ROLES }),
    ]);
  }
  const owners = new TestOwners(platform);
  const hosted = await host({
    platform,
    services: [
      owners.service(),
      adminService(platform, { ...adminConfig.schema.parse({}), ...config }),
    ],
    host: '127.0.0.1',
    port: 0,
  });
  test.serveAt(hosted.url);
  let speaking: NodeJS.Timeout | undefined;
  let lastBeat = Promise.resolve();
  const beat = (): Promise<void> =>
    (lastBeat = publishBeats(platform.bus, STATE_TOPICS, platform.clock.now()));
  const fallSilent = async (): Promise<void> => {
    clearInterval(speaking);
    await lastBeat.catch(() => undefined);
  };
  const beginToSpeak = async (): Promise<void> => {
    await fallSilent();
    await beat();
    speaking = setInterval(() => void beat().catch(() => undefined), BEAT_MS);
  };
  const speak = async (): Promise<void> => {
    await beginToSpeak();
    await eventually(() => {
      if (platform.readiness.pending.length > 0) throw new Error('admin is not ready');
    });
  };
  await (withoutState ? beginToSpeak() : speak());
  const tokens = Object.fromEntries(people.map(({ state, token }) => [state.id, token]));
  return {
    test,
    hosted,
    owners,
    tokens,
    ask: (query, variables, token = tokens['administrator']) =>
      post(hosted.url, { query, variables }, token),
    given: (stream, ...events) => given(test, owners, stream, events),
    speak,
    fallSilent,
    async stop() {
      await fallSilent();
      await hosted.close();
      await test.stop();
    },
  };
}

const context = (now = new Date()): DecisionContext => ({
  actor: ADA,
  now,
  correlationId: 'a-test',
});

async function given(
  { platform }: TestPlatform,
  owners: TestOwners,
  stream: string,
  events: readonly DomainEvent[],
): Promise<void> {
  const { position } = await owners.append(stream, events, context(platform.clock.now()));
  const topic = topics[events[0]?.type.split('.')[0] as 'identity' | 'policy' | 'registry'];
  const partition = platform.bus.partitionOf(topic, stream);
  await eventually(async () => {
    const { rows } = await platform
      .database('admin')
      .pool.query<{ position: number }>(
        'select position from projection_cursor where topic = $1 and partition = $2',
        [topic.name, partition],
      );
    if ((rows[0]?.position ?? 0) < position) throw new Error(`${stream} is not in the read model`);
  });
}

function person(
  id: string,
  roles: string[],
  active = true,
): { state: PrincipalState; token: string } {
  const keyId = newKeyId(randomBytes(12));
  const { token, secretSha256 } = mintKey(keyId, randomBytes(32));
  return {
    token,
    state: {
      kind: 'user',
      id,
      name: id,
      displayName: id,
      active,
      groupIds: [],
      roles,
      keys: [{ keyId, secretSha256, notAfter: null }],
    },
  };
}

function message(key: string, value: unknown) {
  return { key, value: Buffer.from(JSON.stringify(value)), headers: { position: '1' } };
}

/** One request as a client sends it. */
export async function post(
  url: string,
  body: unknown,
  token?: string,
  headers: Record<string, string> = {},
): Promise<GraphqlAnswer> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const answer: unknown = await response.json();
  const { data = null, errors = [] } = answer as Partial<GraphqlAnswer>;
  return {
    status: response.status,
    contentType: response.headers.get('content-type'),
    data,
    errors,
    body: answer,
  };
}
