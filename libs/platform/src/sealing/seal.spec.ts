import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { canonicalJson } from './canonical-json.ts';
import { seal, unseal } from './seal.ts';
import { createSealingKeyIfAbsent, readSealingKey, sealingKeyFrom } from './sealing-key.ts';

const key = sealingKeyFrom(Buffer.alloc(32, 7));

describe('sealing', () => {
  test('opens to what was sealed, whatever JSON it is', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.uuid(), (value, id) => {
        expect(unseal(key, id, seal(key, id, value).sealed)).toEqual(
          JSON.parse(JSON.stringify(value)),
        );
      }),
    );
  });

  test('does not open for another record, with another key, or after any change', () => {
    const { sealed } = seal(key, 'record-1', { path: '/etc/passwd' });
    const flipped = Buffer.from(sealed.ciphertext, 'base64url');
    flipped[0]! ^= 1;
    expect(() => unseal(key, 'record-2', sealed)).toThrow();
    expect(() => unseal(sealingKeyFrom(Buffer.alloc(32, 8)), 'record-1', sealed)).toThrow();
    expect(() =>
      unseal(key, 'record-1', { ...sealed, ciphertext: flipped.toString('base64url') }),
    ).toThrow();
    expect(() => unseal(key, 'record-1', { ...sealed, tag: sealed.tag.slice(0, 6) })).toThrow();
  });

  test('never seals twice to the same bytes, and shows nothing of the clear text', () => {
    const value = { secret: 'correct horse battery staple' };
    const [one, two] = [seal(key, 'r', value), seal(key, 'r', value)];
    expect(one.sealed.ciphertext).not.toBe(two.sealed.ciphertext);
    expect(Buffer.from(one.sealed.ciphertext, 'base64url').toString('latin1')).not.toContain(
      'horse',
    );
    expect(one.bytes).toBe(Buffer.byteLength(JSON.stringify(value)));
  });

  test('keeps the length and digest of what is too large to keep', () => {
    const { sealed, bytes } = seal(key, 'r', 'x'.repeat(1000), 100);
    expect(bytes).toBe(1002);
    expect(unseal(key, 'r', sealed)).toEqual({
      $omitted: { bytes: 1002, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string },
    });
  });

  test('seals a note in place of arguments nested too deep to write', () => {
    let deep: unknown = 0;
    for (let level = 0; level < 200_000; level += 1) deep = [deep];
    expect(unseal(key, 'r', seal(key, 'r', deep).sealed)).toEqual({
      $omitted: { reason: 'nested too deep' },
    });
  });
});

describe('canonical JSON', () => {
  test('is the same for the same members in any order', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (members) => {
        const reversed = Object.fromEntries(Object.entries(members).toReversed());
        expect(canonicalJson(reversed)).toBe(canonicalJson(members));
        expect(JSON.parse(canonicalJson(members))).toEqual(JSON.parse(JSON.stringify(members)));
      }),
    );
  });

  test('orders keys by code units, numbers among them, as RFC 8785 has it', () => {
    expect(canonicalJson({ b: 1, 10: 2, 9: 3, '€': 4, a: [undefined, -0, 1e21] })).toBe(
      '{"10":2,"9":3,"a":[null,0,1e+21],"b":1,"€":4}',
    );
  });
});

describe('the key file', () => {
  let folder = '';
  beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), 'gatehouse-key-'))));
  afterAll(() => rm(folder, { recursive: true, force: true }));

  test('is created once, for its owner alone, and read by all who start together', async () => {
    const path = join(folder, 'new', 'audit.key');
    const keys = await Promise.all(Array.from({ length: 8 }, () => createSealingKeyIfAbsent(path)));
    expect(new Set(keys.map(({ id }) => id)).size).toBe(1);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(await readdir(join(folder, 'new'))).toEqual(['audit.key']);
    expect((await readSealingKey(path)).id).toBe(keys[0]?.id);
  });

  test('that is not 32 bytes long is refused by name', async () => {
    const path = join(folder, 'short.key');
    await writeFile(path, randomBytes(31));
    await expect(readSealingKey(path)).rejects.toThrow(/short\.key.*31/);
    await expect(createSealingKeyIfAbsent(path)).rejects.toThrow(/31/);
  });
});
