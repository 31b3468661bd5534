import { z } from 'zod';
import { message } from '../define-command.ts';
import { roleDefinitionSchema } from './role-definition.ts';

const published = z.strictObject({ bundleNumber: z.number().int() });

/** What policy takes. */
export const policyCommands = {
  'define-role': message(
    'Writes or rewrites a role and publishes the next bundle.',
    z.strictObject({ role: roleDefinitionSchema }),
    published,
  ),
  'delete-role': message(
    'Deletes a role and publishes the next bundle.',
    z.strictObject({ name: z.string().min(1).max(63) }),
    published,
  ),
} as const;
