import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mintKey, newKeyId, parseToken } from './index.ts';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const keyId = fc.stringMatching(/^[0-9A-Za-z]{1,64}$/);
const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

describe('a key', () => {
  it('has a token of which everything but the secret can be told apart', () => {
    fc.assert(
      fc.property(keyId, bytes(32), (id, random) => {
        const { token, secretSha256 } = mintKey(id, random);
        expect(token).toMatch(/^gh_[0-9A-Za-z]+_[0-9A-Za-z]{49}$/);
        expect(parseToken(token)).toEqual({ keyId: id, secretSha256 });
      }),
    );
  });

  it('is minted the same way for ever: tokens in the field must go on to parse', () => {
    const { token, secretSha256 } = mintKey('0A9z', new Uint8Array(32).fill(7));
    expect(token).toBe('gh_0A9z_1fJjkkpe9PiTw9KSulA8Ghct30vZz4HpdQ5c5b9cPF13WntoT');
    const secret = token.slice('gh_0A9z_'.length, -6);
    expect(secretSha256).toBe(createHash('sha256').update(secret).digest('hex'));
  });

  it('keeps all 32 bytes of its secret: no two secrets have one token', () => {
    fc.assert(
      fc.property(bytes(32), bytes(32), (one, other) => {
        const same = Buffer.compare(one, other) === 0;
        expect(mintKey('k', one).token === mintKey('k', other).token).toBe(same);
      }),
    );
    const zeros = mintKey('k', new Uint8Array(32)).token;
    const ones = mintKey('k', new Uint8Array(32).fill(255)).token;
    expect(zeros.length).toBe(ones.length);
  });

  it('does not give its kept digest away in its checksum', () => {
    const { token, secretSha256 } = mintKey('k', new Uint8Array(32).fill(3));
    expect(token).not.toContain(secretSha256.slice(0, 6));
  });

  it('garbled in one character is no token', () => {
    const { token } = mintKey('abc', new Uint8Array(32).fill(9));
    const position = fc.nat({ max: token.length - 1 });
    const character = fc.constantFrom(...Array.from(`${ALPHABET}_-.= `));
    fc.assert(
      fc.property(position, character, (at, replacement) => {
        fc.pre(token[at] !== replacement);
        const garbled = token.slice(0, at) + replacement + token.slice(at + 1);
        expect(parseToken(garbled)).toBeUndefined();
      }),
    );
  });

  it('cut short, drawn out or padded is no token', () => {
    const { token } = mintKey('abc', new Uint8Array(32).fill(9));
    for (let length = 0; length < token.length; length += 1) {
      expect(parseToken(token.slice(0, length))).toBeUndefined();
    }
    for (const other of [
      `${token}0`,
      ` ${token}`,
      `${token}\n`,
      token.toUpperCase(),
      `x${token}`,
    ]) {
      expect(parseToken(other)).toBeUndefined();
    }
  });

  it('is not made from an id that would not come back, nor from too few random bytes', () => {
    const random = new Uint8Array(32);
    for (const id of ['', 'a_b', 'a-b', 'a b', 'a'.repeat(65)]) {
      expect(() => mintKey(id, random)).toThrow('a key id has 1 to 64 letters and digits');
    }
    expect(() => mintKey('k', new Uint8Array(31))).toThrow('expected 32 random bytes, got 31');
    expect(() => newKeyId(new Uint8Array(8))).toThrow('expected 12 random bytes, got 8');
  });

  it('gets an id that tells its random bytes, fit for a token', () => {
    fc.assert(
      fc.property(bytes(12), bytes(12), (one, other) => {
        expect(newKeyId(one)).toMatch(/^[0-9A-Za-z]{17}$/);
        expect(newKeyId(one) === newKeyId(other)).toBe(Buffer.compare(one, other) === 0);
      }),
    );
  });
});
