import type pg from 'pg';

/**
 * How soon the server notices that a client's machine is gone, seconds instead of hours: until then the locks of its
 * sessions stay taken, and with them the place of the one relay. The last is for one that is gone with an answer on its way.
 */
const NOTICED_WHEN_GONE =
  '-c tcp_keepalives_idle=5 -c tcp_keepalives_interval=3 -c tcp_keepalives_count=3 -c tcp_user_timeout=14000';

const CONNECTED_WITHIN_MS = 10_000;
const ANSWERED_WITHIN_MS = 30_000;
const UNHURRIED_MS = 60 * 60 * 1000;

/**
 * How both ends of a connection notice that the other is gone without a word. A query that is not answered in time
 * fails: without a limit it would wait a quarter of an hour for a machine that is no more.
 */
export function noticingLoss(answeredWithinMs = ANSWERED_WITHIN_MS) {
  return {
    options: NOTICED_WHEN_GONE,
    connectionTimeoutMillis: CONNECTED_WITHIN_MS,
    query_timeout: answeredWithinMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
  } satisfies pg.ClientConfig;
}

/** A statement that may rightly take long, as on whole tables, or while it waits for a lock. */
export function unhurried(text: string, values: unknown[] = []): pg.QueryConfig {
  const query = { text, values, query_timeout: UNHURRIED_MS };
  return query;
}

/** The connection still waits for the answer: nothing else can be asked on it. */
export function isUnanswered(error: unknown): error is Error {
  return error instanceof Error && error.message === 'Query read timeout';
}
