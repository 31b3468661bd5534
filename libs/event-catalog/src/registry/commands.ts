import { z } from 'zod';
import { message } from '../define-command.ts';
import { slugSchema, toolClassSchema, transportSchema } from './server-shapes.ts';

const none = z.null();
const slug = z.string().min(1).max(64);
const reason = z.string().trim().min(1).max(500);

/** What the registry takes. */
export const registryCommands = {
  'submit-server': message(
    'Asks for a server to be let through the gate.',
    z.strictObject({
      slug: slugSchema,
      name: z.string().trim().min(1).max(128),
      description: z.string().max(2000),
      transport: transportSchema,
    }),
    none,
  ),
  'fetch-catalogue': message(
    'Connects to the server and records the tools that it offers.',
    z.strictObject({ slug }),
    z.strictObject({ tools: z.number().int() }),
  ),
  'classify-tool': message(
    'Decides whether a tool reads or writes.',
    z.strictObject({ slug, tool: z.string().min(1).max(128), class: toolClassSchema }),
    none,
  ),
  'approve-server': message(
    'Approves the server with its catalogue as last fetched. `catalogueDigest` names what the reviewer saw: how the server is reached, its tools, and the class of each; anything else is refused.',
    z.strictObject({ slug, catalogueDigest: z.string() }),
    none,
  ),
  'reject-server': message('Refuses the server.', z.strictObject({ slug, reason }), none),
  'suspend-server': message(
    'Takes the server out of service at once.',
    z.strictObject({ slug, reason }),
    none,
  ),
  'resume-server': message(
    'Puts a suspended server back in service.',
    z.strictObject({ slug }),
    none,
  ),
} as const;
