import { z } from 'zod';

/** What a role permits of a tool. `read` lets only tools classified as reading through; `off` refuses all. */
export const toolModeSchema = z.enum(['read', 'write', 'off']);

/** How far a tool is opened: to read, to write, or not at all. */
export type ToolMode = z.infer<typeof toolModeSchema>;

/** One line of a connector: a bare mode, or a mode with `deny: true`, which no other role can outvote. */
export const toolGrantSchema = z.union([
  toolModeSchema,
  z.strictObject({ mode: z.literal('off'), deny: z.literal(true) }),
]);

/** What a role says of the tools that a name or a glob stands for. */
export type ToolGrant = z.infer<typeof toolGrantSchema>;

/** A role: for each connector (server slug or glob) the mode of each tool (name or glob). What is not named is off. */
export const roleDefinitionSchema = z.strictObject({
  name: z
    .string()
    .regex(
      /^[a-z][a-z0-9-]{0,62}$/,
      'must be lower-case letters, digits and hyphens, starting with a letter',
    ),
  description: z.string().max(500),
  /** What the role may do to the gate itself, through the admin API. */
  management: z.enum(['none', 'observe', 'administer']),
  connectors: z.array(
    z.strictObject({
      slug: z.string().min(1).max(128),
      tools: z.record(z.string().min(1).max(128), toolGrantSchema),
    }),
  ),
});

/** A role: its name, its management right, and what it grants of each connector. */
export type RoleDefinition = z.infer<typeof roleDefinitionSchema>;
