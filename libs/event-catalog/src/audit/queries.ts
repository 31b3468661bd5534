import { z } from 'zod';
import { message } from '../define-command.ts';
import { auditRecordSchema, outcomeSchema } from './audit-record.v1.ts';

const text = z.string().min(1).max(256);

/** What an auditor filters by; every field that is present must match. Times are ISO 8601, `from` inclusive, `to` exclusive; durations inclusive. */
export const auditFilterSchema = z.strictObject({
  principalId: text.optional(),
  principalName: text.optional(),
  server: text.optional(),
  tool: text.optional(),
  method: text.optional(),
  decision: z.enum(['allow', 'deny']).optional(),
  outcome: outcomeSchema.optional(),
  reasonCode: text.optional(),
  clientName: text.optional(),
  clientIp: text.optional(),
  sessionRef: text.optional(),
  traceId: text.optional(),
  minDurationMs: z.number().nonnegative().optional(),
  maxDurationMs: z.number().nonnegative().optional(),
  from: z.iso.datetime().optional(),
  to: z.iso.datetime().optional(),
});

/** What an auditor searches by. */
export type AuditFilter = z.infer<typeof auditFilterSchema>;

/** One row of the trail: the record, and its number in the log, which is gapless. */
export const auditRowSchema = z.strictObject({
  index: z.number().int(),
  record: auditRecordSchema,
});

/** A record of the trail with its number in it. */
export type AuditRow = z.infer<typeof auditRowSchema>;

/** What audit answers. A request appears once: by its outcome, or by its intent, as `unknown`, where no outcome ever came. */
export const auditQueries = {
  search: message(
    'Pages through the trail, newest first.',
    z.strictObject({
      filter: auditFilterSchema,
      first: z.number().int().min(1).max(500),
      after: z.string().max(200).nullable(),
    }),
    z.strictObject({
      rows: z.array(auditRowSchema),
      endCursor: z.string().nullable(),
      hasNextPage: z.boolean(),
    }),
  ),
  reveal: message(
    'Opens the sealed arguments of one record.',
    z.strictObject({ id: text }),
    z.strictObject({ arguments: z.unknown() }),
  ),
} as const;
