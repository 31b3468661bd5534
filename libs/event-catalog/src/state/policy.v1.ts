import { z } from 'zod';
import { roleDefinitionSchema } from '../policy/role-definition.ts';

/** The one entity of the policy state topic; key = `bundle`. */
export const policyStateSchema = z.strictObject({
  number: z.number().int().positive(),
  roles: z.array(roleDefinitionSchema),
});

/** The newest bundle as the gates know it. */
export type PolicyState = z.infer<typeof policyStateSchema>;
