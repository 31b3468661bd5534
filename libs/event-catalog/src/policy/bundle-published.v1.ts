import { z } from 'zod';
import { defineEvent } from '../define-event.ts';
import { roleDefinitionSchema } from './role-definition.ts';

/** The whole policy, numbered: gateways decide by the highest bundle they have seen. */
export const bundlePublishedV1 = defineEvent(
  'policy.bundle-published.v1',
  'The whole policy, numbered: gateways decide by the highest bundle they have seen.',
  z.strictObject({ number: z.number().int().positive(), roles: z.array(roleDefinitionSchema) }),
);
