import { z } from 'zod';
import { defineEvent } from '../define-event.ts';
import { assigneeSchema } from './principal-ref.ts';

/** A user, group or agent holds a role from now on. */
export const roleAssignedV1 = defineEvent(
  'identity.role-assigned.v1',
  'A user, group or agent holds a role from now on.',
  z.strictObject({ assignee: assigneeSchema, role: z.string() }),
);
