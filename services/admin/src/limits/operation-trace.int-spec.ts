import { recordSpans, type RecordedSpans } from '@gatehouse/platform/testing';
import { eventually } from '@gatehouse/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { post, startAdmin, type GraphqlAnswer, type RunningAdmin } from '../test/start-admin.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const GIVEN = `00-${TRACE}-${PARENT}-01`;

let admin: RunningAdmin;
let spans: RecordedSpans;
beforeAll(async () => {
  admin = await startAdmin();
  spans = recordSpans();
});
afterEach(() => spans.forget());
afterAll(async () => {
  await spans.stop();
  await admin.stop();
});

const ask = (
  query: string,
  token = admin.tokens['administrator'],
  traceparent = GIVEN,
): Promise<GraphqlAnswer> => post(admin.hosted.url, { query }, token, { traceparent });

const span = (name: string): Promise<ReturnType<RecordedSpans['only']>> =>
  eventually(() => spans.only(name));

describe('a request for an operation', () => {
  test('goes on with its trace to the service that owns what it changes', async () => {
    await ask('mutation Mine { createGroup(input: { displayName: "a" }) { group { id } } }');
    const asked = await span('mutation createGroup');
    const sent = await span('ask identity to create-group');
    const handled = await span('identity create-group');
    const appended = spans.all().find(({ name }) => name === 'append to identity');
    expect(asked).toMatchObject({
      traceId: TRACE,
      parentId: PARENT,
      failed: false,
      attributes: { 'http.route': '/graphql', 'graphql.operation.type': 'mutation' },
    });
    expect(sent).toMatchObject({ traceId: TRACE, parentId: asked.id });
    expect(handled).toMatchObject({ traceId: TRACE, parentId: sent.id, failed: false });
    expect(appended).toMatchObject({ traceId: TRACE, parentId: handled.id });
    await span('project identity.group-created.v1');
    expect(spans.only('wait for the read model')).toMatchObject({ parentId: asked.id });
  });

  test('begins a trace where none is given, and is named by few of many fields', async () => {
    const token = admin.tokens['administrator'];
    await ask(
      '{ viewer { id } gate { bundleNumber } roles { nodes { name } } a: servers { nodes { slug } } }',
      token,
      'x',
    );
    const asked = await span('query viewer, gate, roles, …');
    expect(asked.parentId).toBeUndefined();
  });

  test('says by which code it failed, here and with the owner', async () => {
    await ask(
      'mutation { suspendServer(input: { slug: "nowhere", reason: "x" }) { server { slug } } }',
    );
    const error = { 'error.type': 'server-not-found' };
    for (const name of [
      'mutation suspendServer',
      'ask registry to suspend-server',
      'registry suspend-server',
    ]) {
      expect(await span(name)).toMatchObject({ failed: true, attributes: error });
    }
  });

  test('says by which code it was refused as a whole', async () => {
    await ask(
      'mutation { createGroup(input: { displayName: "a" }) { group { id } } }',
      admin.tokens['observer'],
    );
    const refused = await span('mutation createGroup');
    expect(refused).toMatchObject({
      failed: true,
      attributes: { 'error.type': 'management-denied', 'http.response.status_code': 403 },
    });
  });

  test('makes no span where it comes from a stranger, and none where it asks whether all is well', async () => {
    expect((await ask('{ viewer { id } }', 'nobody')).status).toBe(401);
    expect((await fetch(`${admin.hosted.url}/health/live`)).status).toBe(200);
    expect(
      (await fetch(`${admin.hosted.url}/internal/identity/create-group`, { method: 'POST' }))
        .status,
    ).toBe(404);
    await ask('{ viewer { id } }');
    await span('query viewer');
    expect(spans.all().map(({ name }) => name)).toEqual(['query viewer']);
  });
});
