import { z } from 'zod';
import { defineEvent } from '../define-event.ts';

/** A group of people exists; roles may be assigned to it. */
export const groupCreatedV1 = defineEvent(
  'identity.group-created.v1',
  'A group of people exists; roles may be assigned to it.',
  z.strictObject({ groupId: z.string(), displayName: z.string() }),
);
