import { z } from 'zod';
import { defineEvent } from '../define-event.ts';

/** A person's names or address changed; what they may do did not. */
export const userUpdatedV1 = defineEvent(
  'identity.user-updated.v1',
  "A person's names or address changed; what they may do did not.",
  z.strictObject({
    userId: z.string(),
    userName: z.string(),
    displayName: z.string(),
    email: z.string().nullable(),
  }),
);
