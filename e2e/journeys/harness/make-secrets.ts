import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MAKE_SECRETS = fileURLToPath(
  new URL('../../../infra/docker/make-secrets.sh', import.meta.url),
);

/** What infra/docker/make-secrets.sh makes, in a folder of its own, for a database whose owner has this password already. */
export async function makeSecrets(folder: string, ownerPassword: string): Promise<void> {
  await mkdir(folder, { mode: 0o700 });
  await writeFile(join(folder, 'postgres-password'), ownerPassword);
  const making = spawn('sh', [MAKE_SECRETS, folder], { stdio: 'inherit' });
  await once(making, 'close');
  if (making.exitCode !== 0) throw new Error(`make-secrets.sh ended with ${making.exitCode}`);
}
