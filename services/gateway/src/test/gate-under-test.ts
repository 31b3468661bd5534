import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  topics,
  type AuditRecord,
  type CatalogueState,
  type PrincipalState,
  type RawTool,
  type RoleDefinition,
  type ToolClass,
  type TopicDefinition,
  type Transport,
} from '@gatehouse/event-catalog';
import type { Clock } from '@gatehouse/platform';
import { startTestPlatform } from '@gatehouse/platform/testing';
import { mintKey, newKeyId, principalKey } from '@gatehouse/principal-directory';
import { eventually } from '@gatehouse/testing';
import { gatewayConfig, type GatewayConfig } from '../gateway.config.ts';
import { gatewayService } from '../gateway.module.ts';

/** What a raw request was answered, and what was recorded of it. */
export interface Exchanged {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The JSON-RPC message of the answer, framed or not. */
  readonly message: RpcMessage;
  readonly outcome: AuditRecord;
}

export interface RpcMessage {
  readonly id?: unknown;
  readonly result?: Record<string, unknown>;
  readonly error?: { code: number; message: string; data?: Record<string, unknown> };
}

/** An agent that may call, and its bearer token. */
export interface TestAgent {
  readonly id: string;
  readonly keyId: string;
  readonly token: string;
  readonly state: Extract<PrincipalState, { kind: 'agent' }>;
}

export type GateUnderTest = Awaited<ReturnType<typeof startGateUnderTest>>;

/** A gate as a process hosts it, on a real bus, with real evidence; state comes over the state topics as services publish it. */
export async function startGateUnderTest(
  settings: Partial<GatewayConfig> & { readonly clock?: Clock } = {},
) {
  const { clock, ...given } = settings;
  const ground = await startTestPlatform({ schemas: [], ...(clock === undefined ? {} : { clock }) });
  const { bus, readiness } = ground.platform;
  const config = gatewayConfig.schema.parse({ stdioCommands: [process.execPath], ...given });
  const service = gatewayService(ground.platform, config);
  const server = createServer((request, response) => {
    if (!service.rawHandler!(request, response)) response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const records: AuditRecord[] = [];
  const listening = await bus.subscribe({
    group: 'test',
    topics: [topics.auditRaw],
    handle: async ({ messages }) => {
      for (const { value } of messages) records.push(JSON.parse(value!.toString()) as AuditRecord);
    },
  });
  for (const worker of service.workers) await worker.start();

  let position = 0;
  const publish = (topic: TopicDefinition, key: string, value: unknown): Promise<void> =>
    bus.publish(topic, [
      {
        key,
        value: value === null ? null : Buffer.from(JSON.stringify(value)),
        headers: { position: String((position += 1)) },
      },
    ]);
  const principal = (state: PrincipalState): Promise<void> =>
    publish(topics.principalsState, principalKey(state), state);
  let bundle = 0;

  const recorded = (marker: string): Promise<AuditRecord> =>
    eventually(() => {
      const outcomes = records.filter((r) => r.userAgent === marker && r.phase === 'outcome');
      if (outcomes.length !== 1) throw new Error(`${outcomes.length} outcome records`);
      return outcomes[0]!;
    });

  return {
    url,
    config,
    records,
    service,
    readiness,
    publish,
    principal,
    recorded,
    roles: (...roles: Pick<RoleDefinition, 'name' | 'connectors'>[]) =>
      publish(topics.policyState, 'bundle', {
        number: (bundle += 1),
        roles: roles.map((role) => ({ description: '', management: 'none', ...role })),
      }),
    server: (slug: string, transport: Transport, tools: Tools, inService = true) =>
      publish(topics.catalogueState, slug, catalogueState(slug, transport, tools, inService)),
    async agent(name: string, roles: string[], notAfter: string | null = null): Promise<TestAgent> {
      const keyId = newKeyId(randomBytes(12));
      const { token, secretSha256 } = mintKey(keyId, randomBytes(32));
      const state: TestAgent['state'] = {
        kind: 'agent',
        id: randomUUID(),
        name,
        active: true,
        ownerUserId: null,
        roles,
        keys: [{ keyId, secretSha256, notAfter }],
      };
      await principal(state);
      return { id: state.id, keyId, token, state };
    },
    ready: () =>
      eventually(() => {
        if (readiness.pending.length > 0) throw new Error(`waiting for ${readiness.pending.join()}`);
      }),
    /** Sends one request and waits for its one record. */
    async send(path: string, init: RequestInit): Promise<Exchanged> {
      const marker = `probe/${randomUUID()}`;
      const headers = new Headers(init.headers);
      headers.set('user-agent', marker);
      const response = await fetch(url + path, { ...init, headers });
      const text = await response.text();
      return {
        status: response.status,
        headers: response.headers,
        text,
        message: messageIn(text),
        outcome: await recorded(marker),
      };
    },
    async stop(): Promise<void> {
      for (const worker of service.workers.toReversed()) await worker.stop();
      server.closeAllConnections();
      server.close();
      await listening.stop();
      await ground.stop();
    },
  };
}

/** Tools by class; a bare name stands for a tool that takes anything. */
export type Tools = Partial<Record<ToolClass, readonly (string | RawTool)[]>>;

export function catalogueState(
  slug: string,
  transport: Transport,
  { read = [], write = [] }: Tools,
  inService = true,
): CatalogueState {
  const approved = (toolClass: ToolClass) => (tool: string | RawTool) => ({
    definition: typeof tool === 'string' ? { name: tool, inputSchema: { type: 'object' } } : tool,
    digests: { behavior: '', modelText: '', cosmetic: '' },
    class: toolClass,
  });
  const tools = [...read.map(approved('read')), ...write.map(approved('write'))];
  return { slug, name: slug, inService, transport, tools };
}

/** The headers of a well-formed MCP request. */
export function mcpHeaders(token: string, session?: string): Record<string, string> {
  return {
    authorization: `Bearer ${token}`,
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    ...(session === undefined ? {} : { 'mcp-session-id': session }),
  };
}

export const initializeBody = (version = '2025-11-25'): object => ({
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: {
    protocolVersion: version,
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  },
});

function messageIn(text: string): RpcMessage {
  const data = text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .at(-1)
    ?.slice(6);
  try {
    return JSON.parse(data ?? text) as RpcMessage;
  } catch {
    return {};
  }
}
