import { z } from 'zod';
import { defineEvent } from '../define-event.ts';

/** A robot with an identity of its own exists; it may do nothing until it holds a role and a key. */
export const agentRegisteredV1 = defineEvent(
  'identity.agent-registered.v1',
  'A robot with an identity of its own exists; it may do nothing until it holds a role and a key.',
  z.strictObject({
    agentId: z.string(),
    name: z.string(),
    description: z.string(),
    ownerUserId: z.string().nullable(),
  }),
);
