import { z } from 'zod';
import { defineEvent } from '../define-event.ts';
import { principalRefSchema } from './principal-ref.ts';

/** A bearer key exists for a user or an agent. Only the SHA-256 of its secret is kept. */
export const keyIssuedV1 = defineEvent(
  'identity.key-issued.v1',
  'A bearer key exists for a user or an agent. Only the SHA-256 of its secret is kept.',
  z.strictObject({
    keyId: z.string(),
    principal: principalRefSchema,
    label: z.string(),
    secretSha256: z.string(),
    expiresAt: z.iso.datetime().nullable(),
    rotatedFrom: z.string().nullable(),
  }),
);
