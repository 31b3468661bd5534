import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { unhurried } from '../../database/connection-settings.ts';
import type { Logger } from '../../log/logger.ts';

const EVERY_MS = 10 * 60 * 1000;
const BETWEEN_ROUNDS_MS = 20;

/** For how many milliseconds a topic keeps what every group has handled; a topic that is not named keeps everything. */
export type Retention = Readonly<Record<string, number>>;

/** Removes now what the retention allows; answers how many messages went. */
export async function prune(pool: Pool, retention: Retention): Promise<number> {
  let total = 0;
  for (const [topic, keepMs] of Object.entries(retention)) {
    for (;;) {
      const { rows } = await pool.query<{ gone: string }>(
        unhurried('select bus.prune($1, $2) as gone', [topic, keepMs]),
      );
      const gone = Number(rows[0]?.gone ?? 0);
      if (gone === 0) break;
      total += gone;
      await sleep(BETWEEN_ROUNDS_MS);
    }
  }
  return total;
}

/** Prunes every ten minutes until stopped. */
export function prunePeriodically(
  pool: Pool,
  retention: Retention,
  log: Logger,
): () => Promise<void> {
  let running: Promise<void> | undefined;
  const timer = setInterval(() => {
    running ??= prune(pool, retention)
      .then((gone) => log.debug({ gone }, 'the message log was pruned'))
      .catch((error: unknown) => log.warn({ err: error }, 'the message log was not pruned'))
      .finally(() => {
        running = undefined;
      });
  }, EVERY_MS);
  return async () => {
    clearInterval(timer);
    await running;
  };
}
