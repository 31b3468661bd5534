import { z } from 'zod';

/** Who can call the gate: a person or an agent. Ids, never names. */
export const principalRefSchema = z.strictObject({
  kind: z.enum(['user', 'agent']),
  id: z.string().min(1),
});

/** Somebody who may call, by kind and id. */
export type PrincipalRef = z.infer<typeof principalRefSchema>;

/** Who can hold a role. A group's roles reach its members. */
export const assigneeSchema = z.strictObject({
  kind: z.enum(['user', 'group', 'agent']),
  id: z.string().min(1),
});

/** Who may hold a role. */
export type Assignee = z.infer<typeof assigneeSchema>;
