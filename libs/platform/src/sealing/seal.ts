import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import type { Sealed } from '@gatehouse/event-catalog';
import { canonicalJson } from './canonical-json.ts';
import type { SealingKey } from './sealing-key.ts';

const ALGORITHM = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;

/** A value sealed, and how long it was in clear. */
export interface SealedValue {
  readonly sealed: Sealed;
  readonly bytes: number;
}

/**
 * Seals the canonical JSON of a value for one record: moved to another record it no longer opens. A value above
 * `maxBytes` is sealed as its length and SHA-256 instead, `{"$omitted":{"bytes":…,"sha256":…}}`.
 */
export function seal(
  key: SealingKey,
  recordId: string,
  value: unknown,
  maxBytes = Infinity,
): SealedValue {
  const clear = Buffer.from(canonicalOrNote(value));
  const kept = clear.length <= maxBytes ? clear : Buffer.from(omission(clear));
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, key.key, iv, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(recordId));
  const ciphertext = Buffer.concat([cipher.update(kept), cipher.final()]);
  return {
    sealed: {
      keyId: key.id,
      iv: iv.toString('base64url'),
      ciphertext: ciphertext.toString('base64url'),
      tag: cipher.getAuthTag().toString('base64url'),
    },
    bytes: clear.length,
  };
}

/** Opens what `seal` sealed for this record; throws where key, record or bytes are not the same. */
export function unseal(key: SealingKey, recordId: string, sealed: Sealed): unknown {
  const iv = Buffer.from(sealed.iv, 'base64url');
  const decipher = createDecipheriv(ALGORITHM, key.key, iv, { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.from(recordId));
  decipher.setAuthTag(Buffer.from(sealed.tag, 'base64url'));
  const clear = Buffer.concat([
    decipher.update(Buffer.from(sealed.ciphertext, 'base64url')),
    decipher.final(),
  ]);
  return JSON.parse(clear.toString('utf8')) as unknown;
}

/** Hostile nesting overflows any recursive writer; the record must be written all the same. */
function canonicalOrNote(value: unknown): string {
  try {
    return canonicalJson(value);
  } catch (error) {
    if (error instanceof RangeError) return '{"$omitted":{"reason":"nested too deep"}}';
    throw error;
  }
}

function omission(clear: Buffer): string {
  const sha256 = createHash('sha256').update(clear).digest('hex');
  return canonicalJson({ $omitted: { bytes: clear.length, sha256 } });
}
