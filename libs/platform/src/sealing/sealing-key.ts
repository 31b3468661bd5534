import { createHash, createSecretKey, randomBytes, randomUUID, type KeyObject } from 'node:crypto';
import { link, mkdir, open, readFile, unlink } from 'node:fs/promises';
import { dirname } from 'node:path';

const KEY_BYTES = 32;

/** A key that seals, and the short digest by which sealed things name it. */
export interface SealingKey {
  readonly id: string;
  readonly key: KeyObject;
}

/** Makes a sealing key of 32 secret bytes. */
export function sealingKeyFrom(secret: Buffer): SealingKey {
  if (secret.length !== KEY_BYTES) {
    throw new Error(`a sealing key has ${KEY_BYTES} bytes, this one has ${secret.length}`);
  }
  const digest = createHash('sha256')
    .update('gatehouse sealing key\0')
    .update(secret)
    .digest('hex');
  return { id: digest.slice(0, 16), key: createSecretKey(secret) };
}

/** Reads a key file of exactly 32 bytes. */
export async function readSealingKey(path: string): Promise<SealingKey> {
  const secret = await readFile(path);
  try {
    return sealingKeyFrom(secret);
  } catch (error) {
    throw new Error(`${path}: ${(error as Error).message}`, { cause: error });
  }
}

/** Creates a key file (mode 0600) where there is none, and reads it. Of two processes that start together one creates it and both read the same key. */
export async function createSealingKeyIfAbsent(path: string): Promise<SealingKey> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = `${path}.${randomUUID()}`;
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(randomBytes(KEY_BYTES));
    await file.sync();
    // A link appears whole or not at all, and never over an existing key.
    await link(draft, path);
    await syncDirectory(dirname(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await file.close();
    await unlink(draft);
  }
  return readSealingKey(path);
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}
