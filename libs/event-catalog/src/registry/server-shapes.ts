import { z } from 'zod';

/** `write` is what a tool is until a person says that it only reads. */
export const toolClassSchema = z.enum(['read', 'write']);

/** Whether a tool only reads, or may change something. */
export type ToolClass = z.infer<typeof toolClassSchema>;

/** A server's slug: the name in its endpoint `/s/<slug>/mcp` and the prefix of its tools at `/mcp`. No `__`, which separates the two. */
export const slugSchema = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9]|-(?=[a-z0-9])){0,30}$/,
    'must be up to 31 lower-case letters, digits and single hyphens',
  );

/** How the gate reaches a server. A stdio command is started without a shell, and only when the operator allow-listed it. */
export const transportSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('streamable-http'),
    url: z.url({
      protocol: /^https?$/,
      error: 'must be a URL that begins with http:// or https://',
    }),
  }),
  z.strictObject({
    kind: z.literal('stdio'),
    command: z.string().min(1).max(1024),
    args: z.array(z.string().max(4096)).max(64),
    env: z.record(z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/), z.string().max(4096)),
  }),
]);

/** How a server is reached. */
export type Transport = z.infer<typeof transportSchema>;

/** What a server says of itself. Self-reported: shown to reviewers, never decided upon. */
export const serverInfoSchema = z.strictObject({
  name: z.string(),
  version: z.string(),
  protocolVersion: z.string(),
  instructions: z.string().nullable(),
});

/** What a server said of itself when it was asked for its tools. */
export type ServerInfo = z.infer<typeof serverInfoSchema>;

/** SHA-256 (hex) over RFC 8785 canonical JSON of three facets of the raw tool: what it does, what the model reads, what only decorates. */
export const toolDigestsSchema = z.strictObject({
  behavior: z.string(),
  modelText: z.string(),
  cosmetic: z.string(),
});

/** The digests by which a tool is pinned. */
export type ToolDigests = z.infer<typeof toolDigestsSchema>;

/** A tool exactly as a server sent it: a JSON object that is passed on as it stands. */
export const rawToolSchema = z.looseObject({ name: z.string().min(1).max(128) });

/** A tool as a server sent it. */
export type RawTool = z.infer<typeof rawToolSchema>;

/** A tool as fetched: the raw object, its digests, and the class that annotations and name propose, with the reason. */
export const fetchedToolSchema = z.strictObject({
  definition: rawToolSchema,
  digests: toolDigestsSchema,
  proposedClass: toolClassSchema,
  proposedBecause: z.string(),
});

/** A tool as it was fetched, with what is proposed for it. */
export type FetchedTool = z.infer<typeof fetchedToolSchema>;

/** A tool as approved: the copy that clients are shown, with the class a person confirmed. */
export const approvedToolSchema = z.strictObject({
  definition: rawToolSchema,
  digests: toolDigestsSchema,
  class: toolClassSchema,
});

/** A tool as it was approved: what is served, with the digests that pin it. */
export type ApprovedTool = z.infer<typeof approvedToolSchema>;
