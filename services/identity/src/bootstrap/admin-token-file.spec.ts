import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { adminTokenFile, adminTokenPath } from './admin-token-file.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'gatehouse-token-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

describe('the file of the admin token', () => {
  it('is found once it was delivered, and not before', async () => {
    const file = adminTokenFile(directory);
    expect(await file.find()).toBeUndefined();
    await file.deliver('gh_token');
    expect(await file.find()).toBe('gh_token');
  });

  it('is readable by its owner alone, whatever the umask', async () => {
    const before = process.umask(0);
    try {
      await adminTokenFile(directory).deliver('gh_token');
    } finally {
      process.umask(before);
    }
    expect((await stat(adminTokenPath(directory))).mode & 0o777).toBe(0o600);
  });

  it('takes the place of a world-readable one without ever writing into it', async () => {
    const path = adminTokenPath(directory);
    await writeFile(path, 'old');
    await chmod(path, 0o644);
    const oldFile = await stat(path);
    await adminTokenFile(directory).deliver('gh_token');
    const newFile = await stat(path);
    expect(newFile.ino).not.toBe(oldFile.ino);
    expect(newFile.mode & 0o777).toBe(0o600);
  });

  it('does not follow a link that lies in its place', async () => {
    const elsewhere = join(directory, 'elsewhere');
    await writeFile(elsewhere, 'untouched');
    await symlink(elsewhere, adminTokenPath(directory));
    await adminTokenFile(directory).deliver('gh_token');
    expect(await readFile(elsewhere, 'utf8')).toBe('untouched');
  });

  it('leaves nothing beside it', async () => {
    await adminTokenFile(directory).deliver('gh_token');
    await adminTokenFile(directory).deliver('gh_other');
    expect(await readdir(directory)).toEqual(['admin-token']);
  });

  it('fails when the folder is not there', async () => {
    await expect(adminTokenFile(join(directory, 'no')).deliver('gh_token')).rejects.toThrow(
      'ENOENT',
    );
  });
});
