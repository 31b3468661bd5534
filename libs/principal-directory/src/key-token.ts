import { createHash } from 'node:crypto';
import { base62, base62Width } from './base62.ts';

const SECRET_BYTES = 32;
const KEY_ID_BYTES = 12;
const CHECKSUM_BYTES = 4;
const SECRET_WIDTH = base62Width(SECRET_BYTES);
const CHECKSUM_WIDTH = base62Width(CHECKSUM_BYTES);

const KEY_ID = /^[0-9A-Za-z]{1,64}$/;
const TOKEN = new RegExp(
  `^gh_([0-9A-Za-z]{1,64})_([0-9A-Za-z]{${SECRET_WIDTH}})([0-9A-Za-z]{${CHECKSUM_WIDTH}})$`,
);

/** A new key: the token, to be shown once, and the digest, which alone is kept. */
export interface MintedKey {
  readonly token: string;
  readonly secretSha256: string;
}

/** What a well-formed token says: which key it claims to be, and the digest of the secret it brings. */
export interface ParsedToken {
  readonly keyId: string;
  readonly secretSha256: string;
}

/** A key id from 12 random bytes. */
export function newKeyId(random: Uint8Array): string {
  return base62(exactly(KEY_ID_BYTES, random));
}

/** Makes the token `gh_<id>_<secret><checksum>` of a key from 32 random bytes. */
export function mintKey(keyId: string, random: Uint8Array): MintedKey {
  if (!KEY_ID.test(keyId)) throw new Error('a key id has 1 to 64 letters and digits, nothing else');
  const secret = base62(exactly(SECRET_BYTES, random));
  return {
    token: `gh_${keyId}_${secret}${checksum(keyId, secret)}`,
    secretSha256: sha256(secret).toString('hex'),
  };
}

/** Takes a token apart; undefined when it is garbled or cut short, which its checksum tells without knowing any key. */
export function parseToken(text: string): ParsedToken | undefined {
  const [, keyId, secret, given] = TOKEN.exec(text) ?? [];
  if (keyId === undefined || secret === undefined) return undefined;
  if (given !== checksum(keyId, secret)) return undefined;
  return { keyId, secretSha256: sha256(secret).toString('hex') };
}

// Not the digest that is kept: over more than the secret, so that it gives nothing of it away.
function checksum(keyId: string, secret: string): string {
  return base62(sha256(`gh_${keyId}_${secret}`).subarray(0, CHECKSUM_BYTES));
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function exactly(count: number, random: Uint8Array): Uint8Array {
  if (random.length !== count)
    throw new Error(`expected ${count} random bytes, got ${random.length}`);
  return random;
}
