import { z } from 'zod';
import { defineEvent } from '../define-event.ts';
import { assigneeSchema } from './principal-ref.ts';

/** A user, group or agent no longer holds a role. */
export const roleRevokedV1 = defineEvent(
  'identity.role-revoked.v1',
  'A user, group or agent no longer holds a role.',
  z.strictObject({ assignee: assigneeSchema, role: z.string() }),
);
