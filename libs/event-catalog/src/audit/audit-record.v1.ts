import { z } from 'zod';
import { toolClassSchema } from '../registry/server-shapes.ts';

/** Arguments, sealed with AES-256-GCM before they touch a disk or the bus; all fields base64url but the key id. The record's id is the additional authenticated data. */
export const sealedSchema = z.strictObject({
  keyId: z.string(),
  iv: z.string(),
  ciphertext: z.string(),
  tag: z.string(),
});

/** Arguments that only the holder of the key can read. */
export type Sealed = z.infer<typeof sealedSchema>;

/** How a request ended. `unknown` is only ever concluded later, from an intent whose outcome never came. */
export const outcomeSchema = z.enum([
  'ok',
  'tool-error',
  'refused',
  'upstream-error',
  'cancelled',
  'unknown',
]);

/** How a request ended. */
export type Outcome = z.infer<typeof outcomeSchema>;

/**
 * One piece of evidence from a gate. Every request yields exactly one record of phase `outcome`; a call that may
 * change something, or of which something leaves the gate before its end, yields one of phase `intent` with the same
 * `requestId` before that happens. Nothing in it
 * refers to what can be renamed or deleted: names are copied in.
 */
export const auditRecordSchema = z.strictObject({
  phase: z.enum(['intent', 'outcome']),
  id: z.string(),
  requestId: z.string(),
  /** The gate's spool that wrote it, and its gapless number there: what makes redelivery harmless and a gap visible. */
  source: z.string(),
  sequence: z.number().int().positive(),
  at: z.iso.datetime(),
  endpoint: z.string(),
  /** MCP method, or `http` where the request did not get that far. */
  method: z.string(),
  principal: z
    .strictObject({
      kind: z.enum(['user', 'agent']),
      id: z.string(),
      name: z.string(),
      keyId: z.string(),
      roles: z.array(z.string()),
    })
    .nullable(),
  server: z.string().nullable(),
  tool: z.string().nullable(),
  toolClass: toolClassSchema.nullable(),
  decision: z.enum(['allow', 'deny']),
  /** Catalogued reason code of the decision, and a sentence for a person: what happened, not only what the caller saw. */
  reason: z.strictObject({ code: z.string(), text: z.string() }),
  outcome: outcomeSchema,
  httpStatus: z.number().int().nullable(),
  rpcCode: z.number().int().nullable(),
  durationMs: z.number().nonnegative(),
  argumentsSealed: sealedSchema.nullable(),
  argumentsBytes: z.number().int().nonnegative(),
  resultBytes: z.number().int().nonnegative(),
  client: z.strictObject({ name: z.string(), version: z.string() }).nullable(),
  clientIp: z.string(),
  userAgent: z.string().nullable(),
  /** A digest of the session id: enough to group by, useless to a thief. */
  sessionRef: z.string().nullable(),
  bundleNumber: z.number().int().nullable(),
  traceId: z.string().nullable(),
});

/** One piece of evidence from a gate. */
export type AuditRecord = z.infer<typeof auditRecordSchema>;
