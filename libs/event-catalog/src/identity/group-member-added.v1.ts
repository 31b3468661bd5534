import { z } from 'zod';
import { defineEvent } from '../define-event.ts';

/** A person joined a group and has its roles from now on. */
export const groupMemberAddedV1 = defineEvent(
  'identity.group-member-added.v1',
  'A person joined a group and has its roles from now on.',
  z.strictObject({ groupId: z.string(), userId: z.string() }),
);
