import { rawToolSchema } from '@gatehouse/event-catalog';
import { z } from 'zod';

/** `params` of `initialize`. What a client says of itself is for display, never for decisions. */
export const initializeParamsSchema = z.looseObject({
  protocolVersion: z.string(),
  capabilities: z.looseObject({}),
  clientInfo: z.looseObject({ name: z.string(), version: z.string() }),
});

/** The parameters of `initialize`. */
export type InitializeParams = z.infer<typeof initializeParamsSchema>;

/** `params` of `tools/list`. */
export const listToolsParamsSchema = z.looseObject({ cursor: z.string().optional() }).optional();

/** `params` of `tools/call`. `arguments` are checked against the approved schema of the tool, not here. */
export const callToolParamsSchema = z.looseObject({
  name: z.string().min(1),
  arguments: z.record(z.string(), z.unknown()).optional(),
});

/** The parameters of `tools/call`. */
export type CallToolParams = z.infer<typeof callToolParamsSchema>;

/** `params` of `notifications/cancelled`. */
export const cancelledParamsSchema = z.looseObject({
  requestId: z.union([z.string(), z.number().int()]),
  reason: z.string().optional(),
});

/** An upstream's result of `tools/list`: each tool raw, whatever keys it has. */
export const listToolsResultSchema = z.looseObject({
  tools: z.array(rawToolSchema),
  nextCursor: z.string().optional(),
});

/** An upstream's result of `tools/call`, as far as it must hold for the answer to be MCP at all. */
export const callToolResultSchema = z.looseObject({
  content: z.array(z.looseObject({ type: z.string() })).optional(),
  isError: z.boolean().optional(),
});
