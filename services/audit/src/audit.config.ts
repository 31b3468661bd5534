import { configSection, type ConfigOf } from '@gatehouse/platform';
import { z } from 'zod';

/** The settings of the audit service. */
export const auditConfig = configSection(
  'audit',
  'The audit trail: where records are kept and searched.',
  z.strictObject({
    keyFiles: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Further key files that open sealed arguments, beside `audit.key` in the data directory: keys of gates elsewhere, and keys that were replaced.',
      ),
  }),
);

/** The loaded settings of audit. */
export type AuditConfig = ConfigOf<typeof auditConfig>;
