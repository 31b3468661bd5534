import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Administrator, askGraphQL, connectCaller, type ToolRule } from '@gatehouse/standalone';
import {
  eventually,
  filesystemStdio,
  startEverythingOverHttp,
  type HttpUpstream,
} from '@gatehouse/testing';
import { formOfThisLane, startGatehouse, type Form, type Gatehouse } from './gatehouse.ts';

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
  readonly traceId: string | null;
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
      reason { code text } httpStatus rpcCode hasArguments traceId }
    pageInfo { hasNextPage endCursor }
  }
}`;

/** A running Gatehouse with two real servers approved: `everything` over HTTP and `files` over stdio, on a folder of its own. */
export interface World {
  readonly gatehouse: Gatehouse;
  readonly admin: Administrator;
  readonly everything: HttpUpstream;
  readonly folder: string;
  /** Asks GraphQL as the bootstrap administrator. */
  ask<Data>(query: string, variables?: { readonly [name: string]: unknown }): Promise<Data>;
  /** Defines a role and an agent that holds it, and waits until the gate has heard of both. */
  agent(
    name: string,
    connectors: { readonly [slug: string]: readonly ToolRule[] },
  ): Promise<{ keyId: string; token: string }>;
  /** All records that match, newest first. */
  trail(filter?: { readonly [field: string]: unknown }): Promise<readonly Record[]>;
  dispose(): Promise<void>;
}

export async function startWorld(
  env: { readonly [name: string]: string } = {},
  form: Form = formOfThisLane(),
): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'gatehouse-files-'));
  await writeFile(join(folder, 'note.txt'), 'a note\n');
  const { command, args } = filesystemStdio(folder);
  const everything = await startEverythingOverHttp();
  let started: Gatehouse | undefined;
  const dispose = async (): Promise<void> => {
    await started?.dispose();
    await everything.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const gatehouse = await startGatehouse(form, {
      GATEHOUSE_GATEWAY_STDIO_COMMANDS: command,
      GATEHOUSE_REGISTRY_STDIO_COMMANDS: command,
      ...env,
    });
    started = gatehouse;
    const token = await gatehouse.adminToken();
    const admin = new Administrator(gatehouse.apiUrl, token);
    await admin.submit('everything', 'Everything', {
      streamableHttp: { url: everything.url },
    });
    await admin.approve('everything', await admin.classify('everything', 'echo', 'READ'));
    const stdio = await admin.submit('files', 'Files', { stdio: { command, args } });
    await admin.approve('files', stdio.digest);
    // Its addresses may be others once it was killed and started again.
    const ask: World['ask'] = (query, variables) =>
      askGraphQL(gatehouse.apiUrl, token, query, variables);
    return {
      gatehouse,
      admin,
      everything,
      folder,
      ask,
      async agent(name, connectors) {
        await admin.defineRole(`${name}-role`, '', connectors);
        const agent = await admin.createAgent(name, `${name}-role`);
        await untilServed(`${gatehouse.url}/mcp`, agent.token, Object.keys(connectors));
        return agent;
      },
      trail: (filter = {}) => readTrail(ask, filter),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** All records that match, newest first, by whoever is asked. */
export async function readTrail(
  ask: World['ask'],
  filter: { readonly [field: string]: unknown },
): Promise<readonly Record[]> {
  const records: Record[] = [];
  for (let after: string | null = null; ;) {
    const { auditRecords }: TrailPage = await ask<TrailPage>(TRAIL, { filter, after });
    records.push(...auditRecords.nodes);
    if (!auditRecords.pageInfo.hasNextPage) return records;
    after = auditRecords.pageInfo.endCursor;
  }
}

/** What was just granted reaches the gate a moment later: waits until it serves the holder a tool of every server named. */
async function untilServed(
  endpoint: string,
  token: string,
  slugs: readonly string[],
): Promise<void> {
  const caller = await eventually(() => connectCaller(endpoint, token, 'arrival'), {
    everyMs: 50,
  });
  try {
    await eventually(
      async () => {
        const tools = await caller.listTools();
        const missing = slugs.filter(
          (slug) => slug !== '*' && !tools.some((tool) => tool.startsWith(`${slug}__`)),
        );
        if (missing.length > 0) throw new Error(`it serves nothing of ${missing.join(', ')}`);
      },
      { everyMs: 50 },
    );
  } finally {
    await caller.close();
  }
}
