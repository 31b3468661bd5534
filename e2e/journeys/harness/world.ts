import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Administrator, askGraphQL, type ToolRule } from '@gatehouse/standalone';
import { filesystemStdio, startEverythingOverHttp, type HttpUpstream } from '@gatehouse/testing';
import { installation, type Installation } from './gatehouse-process.ts';

/** An audit record, as far as journeys look at it. */
export interface Record {
  readonly id: string;
  readonly index: number;
  readonly requestId: string;
  readonly phase: 'INTENT' | 'OUTCOME';
  readonly method: string;
  readonly endpoint: string;
  readonly principal: { readonly name: string; readonly keyId: string } | null;
  readonly server: string | null;
  readonly tool: string | null;
  readonly decision: 'ALLOW' | 'DENY';
  readonly outcome: string;
  readonly reason: { readonly code: string; readonly text: string };
  readonly httpStatus: number | null;
  readonly rpcCode: number | null;
  readonly hasArguments: boolean;
}

interface TrailPage {
  readonly auditRecords: {
    readonly nodes: readonly Record[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

const TRAIL = `query ($filter: AuditFilter, $after: String) {
  auditRecords(filter: $filter, first: 100, after: $after) {
    nodes { id index requestId phase method endpoint principal { name keyId } server tool decision outcome
      reason { code text } httpStatus rpcCode hasArguments }
    pageInfo { hasNextPage endCursor }
  }
}`;

/** A running Gatehouse with two real servers approved: `everything` over HTTP and `files` over stdio, on a folder of its own. */
export interface World {
  readonly gatehouse: Installation;
  readonly admin: Administrator;
  readonly everything: HttpUpstream;
  readonly folder: string;
  /** Asks GraphQL as the bootstrap administrator. */
  ask<Data>(query: string, variables?: { readonly [name: string]: unknown }): Promise<Data>;
  /** Defines a role and an agent that holds it. */
  agent(
    name: string,
    connectors: { readonly [slug: string]: readonly ToolRule[] },
  ): Promise<{ keyId: string; token: string }>;
  /** All records that match, newest first. */
  trail(filter?: { readonly [field: string]: unknown }): Promise<readonly Record[]>;
  dispose(): Promise<void>;
}

export async function startWorld(env: { readonly [name: string]: string } = {}): Promise<World> {
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
    const http = await admin.submit('everything', 'Everything', {
      streamableHttp: { url: everything.url },
    });
    await admin.classify('everything', 'echo', 'READ');
    await admin.approve('everything', http.digest);
    const stdio = await admin.submit('files', 'Files', { stdio: { command, args } });
    await admin.approve('files', stdio.digest);
    const ask: World['ask'] = (query, variables) =>
      askGraphQL(gatehouse.url, token, query, variables);
    return {
      gatehouse,
      admin,
      everything,
      folder,
      ask,
      async agent(name, connectors) {
        await admin.defineRole(`${name}-role`, '', connectors);
        return admin.createAgent(name, `${name}-role`);
      },
      async trail(filter = {}) {
        const records: Record[] = [];
        for (let after: string | null = null; ;) {
          const { auditRecords }: TrailPage = await ask<TrailPage>(TRAIL, { filter, after });
          records.push(...auditRecords.nodes);
          if (!auditRecords.pageInfo.hasNextPage) return records;
          after = auditRecords.pageInfo.endCursor;
        }
      },
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}
