import { z } from 'zod';
import { defineEvent } from '../define-event.ts';

/** A person has left or is locked out: every key, stream and call of theirs ends now. */
export const userDeactivatedV1 = defineEvent(
  'identity.user-deactivated.v1',
  'A person has left or is locked out: every key, stream and call of theirs ends now.',
  z.strictObject({ userId: z.string(), reason: z.string() }),
);
