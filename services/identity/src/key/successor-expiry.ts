/** When a rotated key's successor expires: it lives as long as its predecessor was given to live, counted from now. */
export function successorExpiry(
  issuedAt: string,
  expiresAt: string | null,
  now: Date,
): string | null {
  if (expiresAt === null) return null;
  const lifetime = Date.parse(expiresAt) - Date.parse(issuedAt);
  return new Date(now.getTime() + lifetime).toISOString();
}
