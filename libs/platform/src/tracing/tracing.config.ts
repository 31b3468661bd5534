import { z } from 'zod';
import { configSection, type ConfigOf } from '../config/config-section.ts';

/** Settings of where a process sends its traces. */
export const tracingConfig = configSection(
  'tracing',
  'Where a process sends its OpenTelemetry traces, in either form. Variables named `OTEL_…` are not looked at.',
  z.strictObject({
    endpoint: z
      .url({ protocol: /^https?$/ })
      .refine((url) => new URL(url).username === '', 'what signs in belongs in `headersFile`')
      .optional()
      .describe(
        'The collector, by OTLP over HTTP (JSON): `http://collector:4318`; where it has no path, `/v1/traces` is added. Without it nothing is traced.',
      ),
    headersFile: z
      .string()
      .optional()
      .describe(
        'A file with headers for the collector, one `name: value` a line, such as the key that it asks for.',
      ),
    sampleRatio: z
      .number()
      .min(0)
      .max(1)
      .default(1)
      .describe(
        'The share of traces that are recorded, of those that begin here; what comes with a `traceparent` is recorded where that says so.',
      ),
  }),
);

/** The loaded settings of traces. */
export type TracingConfig = ConfigOf<typeof tracingConfig>;
