import { z } from 'zod';
import { configSection, type ConfigOf } from '../config/config-section.ts';
import { readToken } from '../config/read-token.ts';

/** Settings of what a process tells Prometheus. */
export const metricsConfig = configSection(
  'metrics',
  'What a process tells Prometheus at `/metrics`, in either form.',
  z.strictObject({
    tokenFile: z
      .string()
      .optional()
      .describe(
        'A file that holds a token of at least 20 characters: `/metrics` then answers only who sends it as `Authorization: Bearer`. Without it, whoever reaches the port.',
      ),
  }),
);

/** The loaded settings of metrics. */
export type MetricsConfig = ConfigOf<typeof metricsConfig>;

/** What `/metrics` must be asked with, where something must. */
export async function readMetricsToken({ tokenFile }: MetricsConfig): Promise<string | undefined> {
  return tokenFile === undefined ? undefined : readToken(tokenFile, 'metrics.tokenFile');
}
