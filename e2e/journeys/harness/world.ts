import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Administrator, askGraphQL, readTrail, type ToolRule, type TrailRow } from '@gatehouse/standalone';
import { filesystemStdio, startEverythingOverHttp, type HttpUpstream } from '@gatehouse/testing';
import { installation, type Installation } from './gatehouse-process.ts';

/** A running Gatehouse with two real servers approved: `everything` over HTTP and `files` over stdio, on a folder of its own. */
export interface World {
  readonly gatehouse: Installation;
  readonly admin: Administrator;
  readonly everything: HttpUpstream;
  readonly folder: string;
  /** Asks GraphQL as the bootstrap administrator. */
  ask<Data>(query: string, variables?: Record<string, unknown>): Promise<Data>;
  /** Defines a role and an agent that holds it. */
  agent(name: string, connectors: Record<string, readonly ToolRule[]>): Promise<{ keyId: string; token: string }>;
  /** The newest records that match, newest first. */
  trail(filter?: Record<string, unknown>, limit?: number): Promise<readonly TrailRow[]>;
  dispose(): Promise<void>;
}

export async function startWorld(env: Readonly<Record<string, string>> = {}): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-files-'));
  await writeFile(join(folder, 'note.txt'), 'a note\n');
  const { command, args } = filesystemStdio(folder);
  const everything = await startEverythingOverHttp();
  const gatehouse = await installation({
    GATEHOUSE_GATEWAY_STDIO_COMMANDS: command,
    GATEHOUSE_REGISTRY_STDIO_COMMANDS: command,
    ...env,
  });
  const dispose = async (): Promise<void> => {
    await gatehouse.dispose();
    await everything.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await gatehouse.start();
    const token = await gatehouse.adminToken();
    const admin = new Administrator(gatehouse.url, token);
    const http = await admin.submit('everything', 'Everything', { streamableHttp: { url: everything.url } });
    await admin.classify('everything', 'echo', 'READ');
    await admin.approve('everything', http.digest);
    const stdio = await admin.submit('files', 'Files', { stdio: { command, args } });
    await admin.approve('files', stdio.digest);
    return {
      gatehouse,
      admin,
      everything,
      folder,
      ask: (query, variables) => askGraphQL(gatehouse.url, token, query, variables),
      async agent(name, connectors) {
        await admin.defineRole(`${name}-role`, '', connectors);
        return admin.createAgent(name, `${name}-role`);
      },
      trail: (filter = {}, limit = 500) => readTrail(gatehouse.url, token, filter, limit),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
