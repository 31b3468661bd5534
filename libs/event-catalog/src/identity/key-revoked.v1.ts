import { z } from 'zod';
import { defineEvent } from '../define-event.ts';

/** A key is refused from now on, in calls under way too. */
export const keyRevokedV1 = defineEvent(
  'identity.key-revoked.v1',
  'A key is refused from now on, in calls under way too.',
  z.strictObject({ keyId: z.string(), reason: z.string() }),
);
