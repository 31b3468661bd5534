import { randomBytes, randomUUID } from 'node:crypto';
import { join } from 'node:path';
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
import type { Subscription } from '@gatehouse/event-sourcing';
import {
  currentSpan,
  host,
  openServiceDatabase,
  traceparentOf,
  type Clock,
  type Hosted,
  type Logger,
} from '@gatehouse/platform';
import { publishBeats, startTestPlatform, type TestPlatform } from '@gatehouse/platform/testing';
import { mintKey, newKeyId, principalKey } from '@gatehouse/principal-directory';
import { eventually } from '@gatehouse/testing';
import { SpoolEvidence, spoolDefaults } from '../evidence/spool-evidence.ts';
import { gatewayConfig, type GatewayConfig } from '../gateway.config.ts';
import { openGate, type OpenedGate } from '../open-gate.ts';
import { stateTopics } from '../state/state-topics.ts';
import { SlowEvidence } from './slow-evidence.ts';

/** What a raw request was answered, and what was recorded of it. */
export interface Exchanged {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The JSON-RPC message of the answer, framed or not. */
  readonly message: RpcMessage;
  readonly outcome: AuditRecord;
}

interface RpcMessage {
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

type Settings = Partial<GatewayConfig> & { readonly clock?: Clock; readonly log?: Logger };
const BEAT_MS = 500;
type Role = Pick<RoleDefinition, 'name' | 'connectors'>;

/** A gate as a process hosts it, on a real bus, with real evidence; state comes over the state topics as services publish it. */
export class GateUnderTest {
  readonly records: AuditRecord[] = [];
  readonly evidence: SpoolEvidence;
  readonly spoolDirectory: string;
  /** What stands between gate and evidence, for tests in which the disk takes its time. */
  readonly slow: SlowEvidence;
  readonly gate: OpenedGate;
  readonly #ground: TestPlatform;
  #hosted: Hosted | undefined;
  #owners: NodeJS.Timeout | undefined;
  #listening: Subscription | undefined;
  #position = 0;
  #bundle = 0;

  private constructor(ground: TestPlatform, config: GatewayConfig) {
    this.#ground = ground;
    const { dataDirectory } = ground.platform;
    this.spoolDirectory = join(dataDirectory, 'spool');
    this.evidence = new SpoolEvidence(ground.platform, {
      ...spoolDefaults(this.spoolDirectory, join(dataDirectory, 'audit.key')),
      backlogLimitBytes: config.spoolBacklogBytes,
    });
    this.slow = new SlowEvidence(this.evidence);
    this.gate = openGate(config, { ...ground.platform, evidence: this.slow });
  }

  static async start({ clock, log, ...given }: Settings = {}): Promise<GateUnderTest> {
    const told = { ...(clock && { clock }), ...(log && { log }) };
    const ground = await startTestPlatform({ schemas: [], ...told });
    const config = gatewayConfig.schema.parse({
      stdioCommands: [process.execPath],
      // What tests do to clock and bus is not always about this.
      stateMaxAgeMs: 600_000,
      ...given,
    });
    const gate = new GateUnderTest(ground, config);
    const { handler, onMalformedRequest } = gate.gate;
    const module = { module: class GateModule {} };
    gate.#hosted = await host({
      platform: ground.platform,
      // The workers are the tests' own to start and stop.
      services: [{ name: 'gateway', module, workers: [], rawHandler: handler, onMalformedRequest }],
      host: '127.0.0.1',
      port: 0,
    });
    gate.#listening = await ground.platform.bus.subscribe({
      group: 'test',
      topics: [topics.auditRaw],
      handle: async ({ messages }) => {
        for (const { value } of messages)
          gate.records.push(JSON.parse(value!.toString()) as AuditRecord);
      },
    });
    await gate.evidence.start();
    await gate.gate.worker.start();
    gate.ownersSpeak();
    return gate;
  }

  get url(): string {
    return this.#hosted!.url;
  }

  /** Publishes an entity's newest value on a state topic; null is a tombstone. */
  publish(topic: TopicDefinition, key: string, value: unknown): Promise<void> {
    this.#position += 1;
    const traceparent = traceparentOf(currentSpan());
    const headers = {
      position: String(this.#position),
      ...(traceparent === undefined ? {} : { traceparent }),
    };
    const body = value === null ? null : Buffer.from(JSON.stringify(value));
    return this.#ground.platform.bus.publish(topic, [{ key, value: body, headers }]);
  }

  /** Owners say now, by the clock, that all is told. */
  beat(): Promise<void> {
    const { bus, clock } = this.#ground.platform;
    return publishBeats(
      bus,
      stateTopics.map(({ topic }) => topic),
      clock.now(),
      this.#position,
    );
  }

  /** They say so again and again, as they do unless they are ill. */
  ownersSpeak(): void {
    const speak = (): void => {
      // Some tests take the bus away.
      this.beat().catch(() => undefined);
    };
    speak();
    this.#owners = setInterval(speak, BEAT_MS);
  }

  ownersFallSilent(): void {
    clearInterval(this.#owners);
  }

  principal(state: PrincipalState): Promise<void> {
    return this.publish(topics.principalsState, principalKey(state), state);
  }

  /** Publishes the roles there are; resolves once the gate decides by them. */
  async roles(...roles: Role[]): Promise<void> {
    const number = (this.#bundle += 1);
    await this.publish(topics.policyState, 'bundle', {
      number,
      roles: roles.map((role) => ({ description: '', management: 'none', ...role })),
    });
    await until(() => this.gate.state.bundleNumber === number);
  }

  /** Publishes a server; resolves once the gate knows it so. */
  async server(slug: string, transport: Transport, tools: Tools, inService = true): Promise<void> {
    const { servers } = this.gate.state;
    const before = servers.get(slug);
    const state = catalogueState(slug, transport, tools, inService);
    await this.publish(topics.catalogueState, slug, state);
    await until(() => servers.get(slug) !== before);
  }

  /** An agent with a key, which the gate has heard of. Roles must have been published before. */
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
    await this.principal(state);
    await eventually(async () => {
      const { status } = await this.sendOnly('/mcp', { method: 'PUT', headers: mcpHeaders(token) });
      if (status !== 405) throw new Error(`${name} is answered ${status}`);
    });
    return { id: state.id, keyId, token, state };
  }

  /** Lets the bus take messages or not. */
  async busTakes(taken: boolean): Promise<void> {
    const { platform, ownerUrl } = this.#ground;
    const owner = openServiceDatabase('gateway', ownerUrl, platform.log);
    const [verb, preposition] = taken ? ['grant', 'to'] : ['revoke', 'from'];
    await owner.pool.query(
      `${verb} insert on all tables in schema bus ${preposition} gatehouse_bus`,
    );
    await owner.close();
  }

  /** Makes the bus forget an entity, as it forgets a tombstone after a week. */
  async forget(topic: TopicDefinition, key: string): Promise<void> {
    const { platform, ownerUrl } = this.#ground;
    const owner = openServiceDatabase('gateway', ownerUrl, platform.log);
    await owner.pool.query('delete from bus.message where topic = $1 and key = $2', [
      topic.name,
      key,
    ]);
    await owner.close();
  }

  ready(): Promise<void> {
    return until(() => this.#ground.platform.readiness.pending.length === 0);
  }

  /** The one outcome recorded of the request that carried this user agent. */
  recorded(userAgent: string): Promise<AuditRecord> {
    return eventually(() => {
      const found = this.records.filter(
        (record) => record.userAgent === userAgent && record.phase === 'outcome',
      );
      if (found.length !== 1) throw new Error(`${found.length} outcome records`);
      return found[0]!;
    });
  }

  /** Sends one request as it is, without waiting for a record. */
  sendOnly(path: string, init: RequestInit): Promise<Response> {
    return fetch(this.url + path, init);
  }

  /** Sends one request and waits for its one record. */
  async send(path: string, init: RequestInit): Promise<Exchanged> {
    const marker = `probe/${randomUUID()}`;
    const headers = new Headers(init.headers);
    headers.set('user-agent', marker);
    const response = await this.sendOnly(path, { ...init, headers });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      message: messageIn(text),
      outcome: await this.recorded(marker),
    };
  }

  async stop(): Promise<void> {
    this.ownersFallSilent();
    await this.gate.worker.stop();
    await this.evidence.stop();
    await this.#hosted?.close();
    await this.#listening?.stop();
    await this.#ground.stop();
  }
}

const until = (condition: () => boolean): Promise<void> =>
  eventually(() => {
    if (!condition()) throw new Error(`not yet: ${String(condition)}`);
  });

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
