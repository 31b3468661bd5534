import { z } from 'zod';

/** A key as gateways need it: the digest to compare with, never the secret. `notAfter` is the earlier of expiry and end of overlap; null never ends by itself. */
export const keyStateSchema = z.strictObject({
  keyId: z.string(),
  secretSha256: z.string(),
  notAfter: z.iso.datetime().nullable(),
});

/** A key as the gates know it: never more than the digest of its secret. */
export type KeyState = z.infer<typeof keyStateSchema>;

/** One entity of the principals state topic; key = `<kind>:<id>`. Revoked keys are absent: absence refuses. */
export const principalStateSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('user'),
    id: z.string(),
    name: z.string(),
    displayName: z.string(),
    active: z.boolean(),
    groupIds: z.array(z.string()),
    roles: z.array(z.string()),
    keys: z.array(keyStateSchema),
  }),
  z.strictObject({
    kind: z.literal('agent'),
    id: z.string(),
    name: z.string(),
    active: z.boolean(),
    ownerUserId: z.string().nullable(),
    roles: z.array(z.string()),
    keys: z.array(keyStateSchema),
  }),
  z.strictObject({
    kind: z.literal('group'),
    id: z.string(),
    name: z.string(),
    roles: z.array(z.string()),
  }),
]);

/** A user, agent or group as the gates know it. */
export type PrincipalState = z.infer<typeof principalStateSchema>;
