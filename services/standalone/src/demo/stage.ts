import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { filesystemStdio, startEverythingOverHttp } from '@gatehouse/testing';
import { loadSettings } from '../settings.ts';
import { startStandalone, type Standalone } from '../standalone.ts';
import { Administrator, type TransportInput } from './administrator.ts';

/** Where the demo plays: a Gatehouse on a throw-away data directory, two real servers, a folder of files. */
export interface Stage extends AsyncDisposable {
  readonly gatehouse: Standalone;
  readonly admin: Administrator;
  /** The folder that the filesystem server may see. */
  readonly folder: string;
  readonly everything: TransportInput;
  readonly files: TransportInput;
}

/** Sets the stage; disposing it stops all of it and removes what it wrote. */
export async function setStage(): Promise<Stage> {
  await using setting = new AsyncDisposableStack();
  const root = await mkdtemp(join(tmpdir(), 'gatehouse-demo-'));
  setting.defer(() => rm(root, { recursive: true, force: true }));
  // PostgreSQL may run as another user, who must get to its folder in here.
  await chmod(root, 0o755);
  const folder = join(root, 'files');
  await mkdir(folder);
  await writeFile(join(folder, 'quarter.txt'), 'Revenue grew by 12 percent.\n');
  const upstream = await startEverythingOverHttp();
  setting.defer(() => upstream.stop());
  const { command, args } = filesystemStdio(folder);
  const gatehouse = await startStandalone(
    loadSettings({
      GATEHOUSE_DATA: join(root, 'data'),
      GATEHOUSE_PORT: '0',
      GATEHOUSE_GATEWAY_STDIO_COMMANDS: command,
      GATEHOUSE_REGISTRY_STDIO_COMMANDS: command,
    }),
  );
  setting.defer(async () => {
    await gatehouse.stop();
    // Where root may not let the server's user in here, the database lies elsewhere.
    await rm(gatehouse.databaseDirectory, { recursive: true, force: true });
  });
  const token = (await readFile(gatehouse.adminTokenFile, 'utf8')).trim();
  const held = setting.move();
  return {
    gatehouse,
    admin: new Administrator(gatehouse.url, token),
    folder,
    everything: { streamableHttp: { url: upstream.url } },
    files: { stdio: { command, args } },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}
