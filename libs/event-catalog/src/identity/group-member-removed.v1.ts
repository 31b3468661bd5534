import { z } from 'zod';
import { defineEvent } from '../define-event.ts';

/** A person left a group and loses the roles it gave. */
export const groupMemberRemovedV1 = defineEvent(
  'identity.group-member-removed.v1',
  'A person left a group and loses the roles it gave.',
  z.strictObject({ groupId: z.string(), userId: z.string() }),
);
