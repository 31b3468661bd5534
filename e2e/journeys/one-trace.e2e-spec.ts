import { randomBytes } from 'node:crypto';
import { eventually } from '@gatehouse/testing';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDoorSession, type DoorSession } from './harness/door-session.ts';
import { formOfThisLane } from './harness/gatehouse.ts';
import { messagesOf } from './harness/topic-messages.ts';
import {
  startTraceCollector,
  type CollectedSpan,
  type TraceCollector,
} from './harness/trace-collector.ts';
import { startWorld, type World } from './harness/world.ts';

const form = formOfThisLane();
const inCluster = form.kind === 'cluster';
const processOf = (service: string): string => `gatehouse-${inCluster ? service : 'standalone'}`;

let world: World;
let collector: TraceCollector;
beforeAll(async () => {
  collector = await startTraceCollector();
  const settings = { GATEHOUSE_TRACING_ENDPOINT: collector.url };
  world = await startWorld(settings, inCluster ? { ...form, gateways: 2 } : form);
});
afterAll(async () => {
  await world.dispose();
  await collector.stop();
});

/** A place in a trace, as a client that traces too would send it. */
function newTrace(): { traceId: string; parentId: string; traceparent: string } {
  const [traceId, parentId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')];
  return { traceId, parentId, traceparent: `00-${traceId}-${parentId}-01` };
}

/** Asks GraphQL as an administrator whose client traces. */
async function revokeKey(keyId: string, traceparent: string): Promise<void> {
  const query = `mutation ($input: RevokeKeyInput!) { revokeKey(input: $input) { key { id } } }`;
  const variables = { input: { keyId, reason: 'left on a train' } };
  const response = await fetch(`${world.gatehouse.apiUrl}/graphql`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${await world.gatehouse.adminToken()}`,
      'content-type': 'application/json',
      traceparent,
    },
    body: JSON.stringify({ query, variables }),
  });
  expect(await response.json()).not.toHaveProperty('errors');
}

interface LoggedEvent {
  readonly id: string;
  readonly position: string;
  readonly occurred_at: Date;
  readonly correlation_id: string;
  readonly actor: unknown;
}

/** What the log of its owner says of an event. */
async function loggedEvent(stream: string, type: string): Promise<LoggedEvent> {
  const database = new pg.Client({ connectionString: await world.gatehouse.databaseUrl() });
  await database.connect();
  const { rows } = await database.query<LoggedEvent>(
    `select id, position::text, occurred_at, correlation_id, actor from identity.event
       where stream = $1 and type = $2`,
    [stream, type],
  );
  await database.end();
  expect(rows).toHaveLength(1);
  return rows[0]!;
}

/** A session at each gate, with its stream open. */
async function streamsAtEveryGate(token: string): Promise<Response[]> {
  return Promise.all(
    world.gatehouse.gateUrls.map(async (url) => {
      const session = await eventually(() => openDoorSession(url, token));
      return session.listen(new AbortController().signal);
    }),
  );
}

/** Who made a span and how it is called, for it and all that it came from, the first of them first. */
function pathTo(span: CollectedSpan, spans: readonly CollectedSpan[]): string[] {
  const parent = spans.find(({ id }) => id === span.parentId);
  const step = `${span.service}: ${span.name}`;
  return parent === undefined ? [span.parentId, step] : [...pathTo(parent, spans), step];
}

describe('one trace', () => {
  it('leads from the change of an administrator to the streams that it cuts, at every gate', async () => {
    const agent = await world.agent('watched', { everything: [{ tool: '*', mode: 'READ' }] });
    const streams = await streamsAtEveryGate(agent.token);
    expect(streams.map(({ status }) => status)).toEqual(streams.map(() => 200));
    const { traceId, parentId, traceparent } = newTrace();
    await revokeKey(agent.keyId, traceparent);
    for (const stream of streams) await stream.text();
    const cuts = await eventually(
      () => {
        const found = collector
          .spansOf(traceId)
          .filter(({ name }) => name === 'gateway.end-sessions');
        expect(new Set(found.map(({ process }) => process)).size).toBe(streams.length);
        return found;
      },
      { timeoutMs: 30_000 },
    );
    const [admin, identity, gateway] = ['admin', 'identity', 'gateway'].map(processOf);
    const toTheBus = [
      parentId,
      `${admin}: mutation revokeKey`,
      `${admin}: ask identity to revoke-key`,
      `${identity}: identity revoke-key`,
      `${identity}: append to identity`,
      `${identity}: relay identity`,
    ];
    await eventually(() => {
      const spans = collector.spansOf(traceId);
      for (const cut of cuts) {
        expect(pathTo(cut, spans)).toEqual([
          ...toTheBus,
          `${gateway}: gateway.apply-state`,
          `${gateway}: gateway.end-sessions`,
        ]);
      }
      const folded = spans.find(({ name }) => name === 'project identity.key-revoked.v1');
      expect(folded && pathTo(folded, spans)).toEqual([
        ...toTheBus,
        `${admin}: project identity.key-revoked.v1`,
      ]);
    });
  });

  it('goes on in the event as it lies on its topic: a whole CloudEvents message, in binary mode', async () => {
    const { keyId } = await world.agent('told-of', { everything: [{ tool: '*', mode: 'READ' }] });
    const { traceId, traceparent } = newTrace();
    await revokeKey(keyId, traceparent);
    const type = 'identity.key-revoked.v1';
    const message = await eventually(
      async () => {
        const messages = await messagesOf(await world.gatehouse.busUrl(), 'gatehouse.identity.v1');
        const ofKey = messages.filter(({ key }) => key === `key-${keyId}`);
        expect(ofKey.map(({ headers }) => headers['ce_type'])).toEqual([
          'identity.key-issued.v1',
          type,
        ]);
        return ofKey[1]!;
      },
      { timeoutMs: 30_000 },
    );
    const event = await loggedEvent(`key-${keyId}`, type);
    const { traceparent: carried } = message.headers;
    await eventually(() => {
      const relays = collector.spansOf(traceId).filter(({ name }) => name === 'relay identity');
      expect(relays.map(({ id }) => `00-${traceId}-${id}-01`)).toContain(carried);
    });
    expect(message).toEqual({
      key: `key-${keyId}`,
      headers: {
        'content-type': 'application/json',
        ce_specversion: '1.0',
        ce_id: event.id,
        ce_source: '/gatehouse/identity',
        ce_type: type,
        ce_time: event.occurred_at.toISOString(),
        ce_subject: `key-${keyId}`,
        ce_sequence: event.position,
        ce_streamversion: '2',
        ce_correlationid: event.correlation_id,
        ce_actor: JSON.stringify(event.actor),
        traceparent: carried,
      },
      value: JSON.stringify({ keyId, reason: 'left on a train' }),
    });
    expect(event.actor).toMatchObject({ kind: 'user', name: 'admin' });
  });

  it('leads from a client through the gate to the server behind it, and the record of the call names it', async () => {
    const agent = await world.agent('caller', { everything: [{ tool: 'echo', mode: 'READ' }] });
    const session: DoorSession = await openDoorSession(world.gatehouse.url, agent.token);
    const { traceId, parentId, traceparent } = newTrace();
    const answer = await session.send({
      method: 'tools/call',
      params: {
        name: 'everything__echo',
        arguments: { message: 'of no concern to traces' },
        _meta: { traceparent },
      },
    });
    expect(answer.body).toContain('of no concern to traces');
    const name = 'tools/call echo';
    await eventually(
      () => {
        const spans = collector.spansOf(traceId);
        const forwarded = spans.find((span) => span.name === name && span.parentId !== parentId);
        const step = `${processOf('gateway')}: ${name}`;
        expect(forwarded && pathTo(forwarded, spans)).toEqual([parentId, step, step]);
      },
      { timeoutMs: 30_000 },
    );
    await eventually(async () => {
      const records = await world.trail({ traceId });
      expect(records).toMatchObject([{ traceId, tool: 'echo', principal: { name: 'caller' } }]);
    });
    expect(collector.text).not.toContain('of no concern to traces');
    expect(collector.text).not.toContain(agent.token);
  });
});
