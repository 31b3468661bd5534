import { Refusal } from '@gatehouse/problem-catalog';
import pg from 'pg';
import { isUnanswered } from './connection-settings.ts';

/** SQLSTATE classes of a server that cannot serve: connections, resources (full disks among them), operators, the system. */
const UNABLE = new Set(['08', '53', '57', '58']);
/** What is a class of its own otherwise: a server that is only read from, as after a failover. */
const READ_ONLY = '25006';
/** A statement that somebody cancelled is no outage. */
const CANCELLED = '57014';
const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EPIPE',
  'ETIMEDOUT',
]);
/** What `pg` says without a code. */
const LOST =
  /^(?:Connection terminated|Client has encountered a connection error|timeout exceeded when trying to connect|timeout expired)/;

/** The refusal `service-unavailable` for an error that says that PostgreSQL does not serve just now; any other error as it is. */
export function refusedIfUnavailable(error: unknown): unknown {
  if (!(error instanceof Error) || !isUnavailable(error)) return error;
  return new Refusal('service-unavailable', {
    detail:
      'Its database does not serve just now. What was asked for may have been done all the same: look before asking again.',
    internal: error.message,
    cause: error,
  });
}

/** Whether an operator should hear of this refusal, as somebody whom the service stands on is away. */
export function isOutage(error: unknown): error is Refusal {
  return error instanceof Refusal && error.code === 'service-unavailable';
}

function isUnavailable(
  error: Error & { readonly code?: unknown; readonly syscall?: string },
): boolean {
  const code = String(error.code);
  if (error instanceof pg.DatabaseError)
    return code === READ_ONLY || (UNABLE.has(code.slice(0, 2)) && code !== CANCELLED);
  // Of a socket that is a file, and is not there.
  if (code === 'ENOENT') return error.syscall === 'connect';
  return UNREACHABLE.has(code) || LOST.test(error.message) || isUnanswered(error);
}
