import { configSection, type ConfigOf } from '@gatehouse/platform';
import { z } from 'zod';

const KIB = 1024;

/** The settings of the registry. */
export const registryConfig = configSection(
  'registry',
  'The registry: which servers may be asked for their tools, and how much of an answer is borne.',
  z.strictObject({
    stdioCommands: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Commands that stdio servers may be started with, each exactly as the server names it; any other is refused.',
      ),
    fetchTimeoutMs: z
      .number()
      .int()
      .min(100)
      .max(20_000)
      .default(15_000)
      .describe(
        'How long a server may take to be reached and to list all its tools. Whoever asked waits for it, at most 30 s.',
      ),
    maxCatalogueBytes: z
      .number()
      .int()
      .min(KIB)
      .max(768 * KIB)
      .default(768 * KIB)
      .describe(
        'Largest catalogue that is taken from a server. What is recorded of it must fit one message of the bus, which is 1 MiB.',
      ),
  }),
);

/** The loaded settings of the registry. */
export type RegistryConfig = ConfigOf<typeof registryConfig>;
