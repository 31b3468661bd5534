import { pino, type Logger, type DestinationStream } from 'pino';

export type { Logger } from 'pino';

// Whatever carries one of these names is a secret or leads to one; it never reaches a log line.
const SECRET_KEYS = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'serviceToken',
  'arguments',
  'secretSha256',
];

export interface LoggerOptions {
  readonly service: string;
  readonly level: string;
  readonly destination?: DestinationStream;
}

/** A structured logger: one JSON line an event on the destination (default stderr), secrets redacted two levels deep. */
export function createLogger({ service, level, destination }: LoggerOptions): Logger {
  const options = {
    level,
    base: { service },
    redact: {
      paths: SECRET_KEYS.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]),
      censor: '[redacted]',
    },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  return pino(options, destination ?? pino.destination({ dest: 2, sync: false }));
}
