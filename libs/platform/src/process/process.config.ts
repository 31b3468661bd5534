import { z } from 'zod';
import { configSection, type ConfigOf } from '../config/config-section.ts';
import { busSettings } from './bus-address.ts';

const serviceUrl = (name: string) =>
  z
    .url()
    .optional()
    .describe(
      `Where the internal API of ${name} is reached, such as http://${name}:8080; only who talks to it needs it.`,
    );

/** Settings of a process that hosts one service. */
export const processConfig = configSection(
  'process',
  'A process that hosts one service: where it listens, what it stands on. (A standalone process has `standalone` instead.)',
  z.strictObject({
    host: z
      .string()
      .default('127.0.0.1')
      .describe('The address to listen on.')
      .meta({ env: 'GATEHOUSE_HOST' }),
    port: z
      .number()
      .int()
      .min(0)
      .max(65_535)
      .default(8080)
      .describe('The port to listen on.')
      .meta({ env: 'GATEHOUSE_PORT' }),
    data: z
      .string()
      .default('.gatehouse')
      .describe('The folder of this process for what belongs in no database: spool, key files.')
      .meta({ env: 'GATEHOUSE_DATA' }),
    logLevel: z
      .enum(['silent', 'error', 'warn', 'info', 'debug', 'trace'])
      .default('info')
      .describe('The least severe log line that is written to stderr.')
      .meta({ env: 'GATEHOUSE_LOG_LEVEL' }),
    databaseUrl: z
      .url({ protocol: /^postgres(ql)?$/ })
      .optional()
      .describe(
        "The service's database, by its own role `gatehouse_<service>`. The gateway needs none.",
      )
      .meta({ env: 'GATEHOUSE_DATABASE_URL' }),
    databasePasswordFile: z
      .string()
      .optional()
      .describe('A file that holds the password for `databaseUrl`, where it is not in the URL.')
      .meta({ env: 'GATEHOUSE_DATABASE_PASSWORD_FILE' }),
    ...busSettings,
    serviceTokenFile: z
      .string()
      .describe(
        'A file that holds the token which services show each other; at least 20 characters, the same for all.',
      )
      .meta({ env: 'GATEHOUSE_SERVICE_TOKEN_FILE' }),
    identityUrl: serviceUrl('identity').meta({ env: 'GATEHOUSE_IDENTITY_URL' }),
    policyUrl: serviceUrl('policy').meta({ env: 'GATEHOUSE_POLICY_URL' }),
    registryUrl: serviceUrl('registry').meta({ env: 'GATEHOUSE_REGISTRY_URL' }),
    auditUrl: serviceUrl('audit').meta({ env: 'GATEHOUSE_AUDIT_URL' }),
  }),
);

/** The loaded settings of a process that hosts one service. */
export type ProcessConfig = ConfigOf<typeof processConfig>;
