import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceDatabase } from '@gatehouse/platform';

const LOOK_AGAIN_MS = 25;

/** Whether policy has a role. One that is not known yet is waited for, because policy may have made it a moment ago and its event be under way. */
export async function roleExists(
  database: ServiceDatabase,
  role: string,
  patienceMs: number,
): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const { rowCount } = await database.pool.query('select 1 from known_roles where name = $1', [
      role,
    ]);
    if (rowCount === 1) return true;
    if (performance.now() >= deadline) return false;
    await sleep(LOOK_AGAIN_MS);
  }
}
