import { configSection, type ConfigOf } from '@gatehouse/platform';
import { z } from 'zod';

/** Settings of the process that hosts all services on one port. */
export const standaloneConfig = configSection(
  'standalone',
  'The process that hosts every service on one port, on a PostgreSQL of its own.',
  z.strictObject({
    data: z
      .string()
      .default('.gatehouse')
      .describe('The folder for everything that must survive the process.')
      .meta({ env: 'GATEHOUSE_DATA' }),
    port: z
      .number()
      .int()
      .min(0)
      .max(65_535)
      .default(8080)
      .describe('The port that everything is served on; 0 takes a free one.')
      .meta({ env: 'GATEHOUSE_PORT' }),
    host: z
      .string()
      .default('127.0.0.1')
      .describe('The address to listen on. Put TLS in front before you leave the loopback.')
      .meta({ env: 'GATEHOUSE_HOST' }),
    logLevel: z
      .enum(['silent', 'error', 'warn', 'info', 'debug', 'trace'])
      .default('warn')
      .describe('The least severe log line that is written to stderr.')
      .meta({ env: 'GATEHOUSE_LOG_LEVEL' }),
  }),
);

export type StandaloneConfig = ConfigOf<typeof standaloneConfig>;
