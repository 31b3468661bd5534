import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestPlatform, type TestPlatform } from '../testing/test-platform.ts';
import { platformMigrations } from './platform-migrations.ts';

let test: TestPlatform;
beforeAll(async () => {
  test = await startTestPlatform({
    schemas: [{ schema: 'identity', folders: [platformMigrations.eventStore] }],
  });
});
afterAll(() => test?.stop());

describe('the connections of a service to its database', () => {
  it('are missed by the server within seconds when the machine at their other end is gone', async () => {
    const { rows } = await test.platform.database('identity').pool.query<{ seconds: number }>(
      `select sum(seconds)::int as seconds from (
         select setting::int as seconds from pg_settings where name = 'tcp_keepalives_idle'
         union all
         select (a.setting::int * b.setting::int) from pg_settings a, pg_settings b
         where a.name = 'tcp_keepalives_interval' and b.name = 'tcp_keepalives_count') as parts`,
    );
    // Two hours, where nobody says otherwise.
    expect(rows[0]?.seconds).toBeGreaterThan(0);
    expect(rows[0]?.seconds).toBeLessThanOrEqual(15);
  });
});
