import { z } from 'zod';
import { defineEvent } from '../define-event.ts';

/** A person exists in the gate's directory and may be granted roles. */
export const userProvisionedV1 = defineEvent(
  'identity.user-provisioned.v1',
  "A person exists in the gate's directory and may be granted roles.",
  z.strictObject({
    userId: z.string(),
    userName: z.string(),
    displayName: z.string(),
    email: z.string().nullable(),
  }),
);
