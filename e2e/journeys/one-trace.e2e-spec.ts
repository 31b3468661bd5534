import { randomBytes } from 'node:crypto';
import { eventually } from '@gatehouse/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDoorSession, type DoorSession } from './harness/door-session.ts';
import { formOfThisLane } from './harness/gatehouse.ts';
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
async function change(query: string, variables: object, traceparent: string): Promise<void> {
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
    await change(
      `mutation ($input: RevokeKeyInput!) { revokeKey(input: $input) { key { id } } }`,
      { input: { keyId: agent.keyId, reason: 'left on a train' } },
      traceparent,
    );
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
