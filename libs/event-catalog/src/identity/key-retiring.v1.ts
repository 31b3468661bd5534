import { z } from 'zod';
import { defineEvent } from '../define-event.ts';

/** A key was replaced by a newer one and stops working when the overlap ends. */
export const keyRetiringV1 = defineEvent(
  'identity.key-retiring.v1',
  'A key was replaced by a newer one and stops working when the overlap ends.',
  z.strictObject({ keyId: z.string(), replacedBy: z.string(), overlapUntil: z.iso.datetime() }),
);
