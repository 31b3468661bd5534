import { z } from 'zod';
import { defineEvent } from '../define-event.ts';

/** An agent is locked out: every key, stream and call of its own ends now. */
export const agentDisabledV1 = defineEvent(
  'identity.agent-disabled.v1',
  'An agent is locked out: every key, stream and call of its own ends now.',
  z.strictObject({ agentId: z.string(), reason: z.string() }),
);
