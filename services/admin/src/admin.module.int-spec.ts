import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startAdmin, type RunningAdmin } from './test/start-admin.ts';

let admin: RunningAdmin;
beforeAll(async () => {
  admin = await startAdmin();
});
afterAll(async () => {
  await admin.stop();
});

describe('the admin service', () => {
  test('says who is asking', async () => {
    const { status, body } = await admin.ask('{ viewer { kind id name roles management } }');
    expect(body).toEqual({
      data: {
        viewer: {
          kind: 'USER',
          id: 'administrator',
          name: 'administrator',
          roles: ['admin'],
          management: 'ADMINISTER',
        },
      },
    });
    expect(status).toBe(200);
  });
});
