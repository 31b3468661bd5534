import { z } from 'zod';
import { message } from '../define-command.ts';
import { assigneeSchema, principalRefSchema } from './principal-ref.ts';

const none = z.null();
const name = z.string().trim().min(1).max(128);
const id = z.string().min(1).max(64);
const reason = z.string().trim().min(1).max(500);
const issuedKey = z.strictObject({
  keyId: z.string(),
  /** The whole bearer token. It is answered once and kept nowhere. */
  token: z.string(),
  expiresAt: z.iso.datetime().nullable(),
});

/** What identity takes. */
export const identityCommands = {
  'provision-user': message(
    'Adds a person to the directory.',
    z.strictObject({ userName: name, displayName: name, email: z.email().nullable() }),
    z.strictObject({ userId: z.string() }),
  ),
  'update-user': message(
    "Changes a person's names or address.",
    z.strictObject({ userId: id, userName: name, displayName: name, email: z.email().nullable() }),
    none,
  ),
  'deactivate-user': message(
    'Locks a person out at once.',
    z.strictObject({ userId: id, reason }),
    none,
  ),
  'reactivate-user': message(
    'Lets a deactivated person call again.',
    z.strictObject({ userId: id }),
    none,
  ),
  'create-group': message(
    'Creates a group of people.',
    z.strictObject({ displayName: name }),
    z.strictObject({ groupId: z.string() }),
  ),
  'rename-group': message(
    'Renames a group.',
    z.strictObject({ groupId: id, displayName: name }),
    none,
  ),
  'delete-group': message(
    'Deletes a group; its members lose its roles.',
    z.strictObject({ groupId: id }),
    none,
  ),
  'add-group-member': message(
    'Adds a person to a group.',
    z.strictObject({ groupId: id, userId: id }),
    none,
  ),
  'remove-group-member': message(
    'Takes a person out of a group.',
    z.strictObject({ groupId: id, userId: id }),
    none,
  ),
  'assign-role': message(
    'Gives a role to a user, group or agent.',
    z.strictObject({ assignee: assigneeSchema, role: name }),
    none,
  ),
  'revoke-role': message(
    'Takes a role from a user, group or agent.',
    z.strictObject({ assignee: assigneeSchema, role: name }),
    none,
  ),
  'register-agent': message(
    'Creates a robot identity.',
    z.strictObject({ name, description: z.string().max(500), ownerUserId: id.nullable() }),
    z.strictObject({ agentId: z.string() }),
  ),
  'rename-agent': message(
    'Renames an agent.',
    z.strictObject({ agentId: id, name, description: z.string().max(500) }),
    none,
  ),
  'disable-agent': message(
    'Locks an agent out at once.',
    z.strictObject({ agentId: id, reason }),
    none,
  ),
  'enable-agent': message(
    'Lets a disabled agent call again.',
    z.strictObject({ agentId: id }),
    none,
  ),
  'issue-key': message(
    'Issues a bearer key for a user or an agent; the token is answered once.',
    z.strictObject({
      principal: principalRefSchema,
      label: name,
      expiresAt: z.iso.datetime().nullable(),
    }),
    issuedKey,
  ),
  'rotate-key': message(
    'Issues a successor and lets the old key live on for the overlap, in seconds.',
    z.strictObject({ keyId: id, overlapSeconds: z.number().int().min(0).max(2_592_000) }),
    issuedKey,
  ),
  'revoke-key': message('Ends a key at once.', z.strictObject({ keyId: id, reason }), none),
} as const;
