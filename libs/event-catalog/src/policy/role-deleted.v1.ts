import { z } from 'zod';
import { defineEvent } from '../define-event.ts';

/** A role no longer exists; whoever held it lost what it gave. */
export const roleDeletedV1 = defineEvent(
  'policy.role-deleted.v1',
  'A role no longer exists; whoever held it lost what it gave.',
  z.strictObject({ name: z.string() }),
);
