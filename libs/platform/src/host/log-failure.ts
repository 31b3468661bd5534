import { Refusal } from '@gatehouse/problem-catalog';
import { isOutage } from '../database/unavailable.ts';
import type { Logger } from '../log/logger.ts';

/** Logs a request that was not served: a warning where somebody whom the service stands on is away, a note where it was refused, an error where it failed by a fault of ours. */
export function logFailure(log: Logger, about: object, error: unknown): void {
  if (isOutage(error))
    log.warn({ ...about, code: error.code, err: error.cause }, 'request refused');
  else if (error instanceof Refusal)
    log.info({ ...about, code: error.code, internal: error.internal }, 'request refused');
  else log.error({ ...about, err: error }, 'request failed');
}
