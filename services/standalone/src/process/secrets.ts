import { randomBytes, randomUUID } from 'node:crypto';
import { access, link, readdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const secretsSchema = z.strictObject({
  /** Names this installation for good, also where something of it must lie outside the data directory. */
  installation: z.uuid(),
  databasePassword: z.string().min(20),
  serviceToken: z.string().min(20),
});

/** What this installation keeps to itself: the database's password and the token services show each other. */
export type Secrets = z.infer<typeof secretsSchema>;

/** What a Gatehouse that once ran has left in its data directory; where its database lies, its secrets know. */
const TRACES = ['admin-token', 'audit.key', 'postgres', 'spool'];

/**
 * Reads `secrets.json` (mode 0600) of the data directory, making it up at the first start. Two processes that start at
 * once agree on the first. Refuses where the file is damaged, or gone from beside what belongs to it.
 */
export async function loadSecrets(dataDirectory: string): Promise<Secrets> {
  const path = join(dataDirectory, 'secrets.json');
  const known = await read(path);
  if (known !== undefined) return known;
  const traces = (await readdir(dataDirectory)).filter((name) => TRACES.includes(name));
  if (traces.length > 0)
    throw new Error(
      `${path} is gone, and ${traces.join(', ')} beside it ${traces.length === 1 ? 'belongs' : 'belong'} to it: put it back from a backup, or set GATEHOUSE_DATA to an empty folder to begin anew`,
    );
  const fresh = `${path}.${process.pid}`;
  const secrets: Secrets = {
    installation: randomUUID(),
    databasePassword: randomBytes(24).toString('base64url'),
    serviceToken: randomBytes(32).toString('base64url'),
  };
  await writeFile(fresh, JSON.stringify(secrets), { mode: 0o600, flag: 'wx' });
  await link(fresh, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await unlink(fresh);
  return (await read(path)) ?? secrets;
}

/** Whether an installation of Gatehouse was ever started on the data directory. */
export async function isInstallation(dataDirectory: string): Promise<boolean> {
  return access(join(dataDirectory, 'secrets.json')).then(
    () => true,
    () => false,
  );
}

async function read(path: string): Promise<Secrets | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return secretsSchema.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(
      `${path} is damaged: put it back from a backup, for without it the database beside it cannot be opened`,
      { cause: error },
    );
  }
}
