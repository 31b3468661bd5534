import { INVALID_TRACEID } from '@opentelemetry/api';
import { pino, type Logger, type DestinationStream } from 'pino';
import { currentSpan, isTracing } from '../tracing/span.ts';

export type { Logger } from 'pino';

// Whatever carries one of these names is a secret or leads to one; it never reaches a log line.
const SECRET_KEYS = [
  'authorization',
  'cookie',
  '["set-cookie"]',
  'password',
  'secret',
  'token',
  'serviceToken',
  'arguments',
  'secretSha256',
];

// Secrets that stand in the middle of a text, as in the message of an error: keys of ours, bearer tokens, passwords in addresses.
const SECRETS_IN_TEXT: readonly (readonly [RegExp, string])[] = [
  [/\bgh_[A-Za-z0-9-]+_[A-Za-z0-9_-]+/g, '[redacted]'],
  [/\b(bearer\s+)[^\s"\\,]{12,}/gi, '$1[redacted]'],
  [/(:\/\/[^\s"\\/:@]*:)[^\s"\\/@]+(?=@)/g, '$1[redacted]'],
];

/** Who logs, from which level on, and where to. */
export interface LoggerOptions {
  readonly service: string;
  readonly level: string;
  readonly destination?: DestinationStream;
}

/** A structured logger: one JSON line an event on the destination (default stderr), without secrets by name (two levels deep) or by look (anywhere). */
export function createLogger({ service, level, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service },
    redact: {
      paths: SECRET_KEYS.flatMap((key) => [key, below('*', key), below('*.*', key)]),
      censor: '[redacted]',
    },
    hooks: { streamWrite: withoutSecrets },
    mixin: traceOfLine,
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return pino(options, destination ?? pino.destination({ dest: 2, sync: false }));
}

function below(path: string, key: string): string {
  return key.startsWith('[') ? `${path}${key}` : `${path}.${key}`;
}

function withoutSecrets(line: string): string {
  return SECRETS_IN_TEXT.reduce(
    (text, [secret, instead]) => text.replaceAll(secret, instead),
    line,
  );
}

// A fresh object for every line: pino writes the line's own members into it.
function traceOfLine(): object {
  if (!isTracing()) return {};
  const { traceId } = currentSpan().spanContext();
  return traceId === INVALID_TRACEID ? {} : { trace_id: traceId };
}
