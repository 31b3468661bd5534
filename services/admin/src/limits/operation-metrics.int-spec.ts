import { scrape } from '@gatehouse/platform/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAdmin, type RunningAdmin } from '../test/start-admin.ts';

let admin: RunningAdmin;
beforeAll(async () => {
  admin = await startAdmin();
});
afterAll(() => admin?.stop());

const counted = async (kind: string, code: string): Promise<number> =>
  (await scrape(admin.hosted.url)).value('gatehouse_admin_operations_total', {
    service: 'admin',
    kind,
    code,
  }) ?? 0;

describe('the metrics of the admin API', () => {
  test.each([
    ['a query', 'query', '', () => admin.ask('{ __typename }')],
    ['a query of none', 'none', 'request-invalid', () => admin.ask('{ nothing }')],
    ['a text that is none', 'none', 'request-invalid', () => admin.ask('{')],
    [
      'a key that is none',
      'none',
      'token-malformed',
      () => admin.ask('{ __typename }', {}, 'gh_no_key'),
    ],
    [
      'a right that is missing',
      'query',
      'management-denied',
      () => admin.ask('{ __schema { queryType { name } } }', {}, admin.tokens['stranger']),
    ],
  ])('count %s, once', async (_what, kind, code, ask) => {
    const before = await counted(kind, code);
    await ask();
    expect(await counted(kind, code)).toBe(before + 1);
  });

  test('count a mutation, and how long it waited to be read', async () => {
    const waited = async (): Promise<number> =>
      (await scrape(admin.hosted.url)).value('gatehouse_admin_read_model_wait_seconds_count', {
        outcome: 'seen',
      }) ?? 0;
    const [before, seen] = [await counted('mutation', ''), await waited()];
    const { errors } = await admin.ask(
      'mutation { createGroup(input: { displayName: "crew" }) { group { id } } }',
    );
    expect(errors).toEqual([]);
    expect(await counted('mutation', '')).toBe(before + 1);
    expect(await waited()).toBe(seen + 1);
  });
});
