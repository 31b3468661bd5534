import { randomBytes } from 'node:crypto';
import { mintKey, newKeyId } from '@gatehouse/principal-directory';

/** A fresh key: the token leaves in the answer and is kept nowhere; only the digest goes into the event. */
export interface FreshKey {
  readonly keyId: string;
  readonly token: string;
  readonly secretSha256: string;
}

/** Mints a key from this machine's randomness. */
export function mintNewKey(): FreshKey {
  const keyId = newKeyId(randomBytes(12));
  return { keyId, ...mintKey(keyId, randomBytes(32)) };
}
