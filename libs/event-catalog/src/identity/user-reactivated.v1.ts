import { z } from 'zod';
import { defineEvent } from '../define-event.ts';

/** A deactivated person may call again; revoked keys stay revoked. */
export const userReactivatedV1 = defineEvent(
  'identity.user-reactivated.v1',
  'A deactivated person may call again; revoked keys stay revoked.',
  z.strictObject({ userId: z.string() }),
);
