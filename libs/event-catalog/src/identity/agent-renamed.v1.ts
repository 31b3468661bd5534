import { z } from 'zod';
import { defineEvent } from '../define-event.ts';

/** An agent's name or description changed; what it may do did not. */
export const agentRenamedV1 = defineEvent(
  'identity.agent-renamed.v1',
  "An agent's name or description changed; what it may do did not.",
  z.strictObject({ agentId: z.string(), name: z.string(), description: z.string() }),
);
