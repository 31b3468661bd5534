import { z } from 'zod';
import { defineEvent } from '../define-event.ts';

/** A group's display name changed; its id, and so its roles, did not. */
export const groupRenamedV1 = defineEvent(
  'identity.group-renamed.v1',
  "A group's display name changed; its id, and so its roles, did not.",
  z.strictObject({ groupId: z.string(), displayName: z.string() }),
);
