import { z } from 'zod';
import { defineEvent } from '../define-event.ts';

/** A disabled agent may call again. */
export const agentEnabledV1 = defineEvent(
  'identity.agent-enabled.v1',
  'A disabled agent may call again.',
  z.strictObject({ agentId: z.string() }),
);
