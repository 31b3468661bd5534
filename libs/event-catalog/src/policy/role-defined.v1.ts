import { z } from 'zod';
import { defineEvent } from '../define-event.ts';
import { roleDefinitionSchema } from './role-definition.ts';

/** A role was written or rewritten. */
export const roleDefinedV1 = defineEvent(
  'policy.role-defined.v1',
  'A role was written or rewritten.',
  z.strictObject({ role: roleDefinitionSchema }),
);
