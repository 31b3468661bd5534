import { hash } from 'node:crypto';
import canonicalize from 'canonicalize';

/** SHA-256 (hex) over the RFC 8785 form of a value; throws for what is not JSON. */
export function canonicalDigest(value: unknown): string {
  return hash('sha256', canonicalText(value), 'hex');
}

export function canonicalText(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('the value is not JSON');
  return text;
}
