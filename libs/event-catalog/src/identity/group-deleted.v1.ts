import { z } from 'zod';
import { defineEvent } from '../define-event.ts';

/** A group is gone, and with it every role it gave to its members. */
export const groupDeletedV1 = defineEvent(
  'identity.group-deleted.v1',
  'A group is gone, and with it every role it gave to its members.',
  z.strictObject({ groupId: z.string() }),
);
