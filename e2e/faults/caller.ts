import { Agent, request } from 'node:http';
import type { Call, History, Outcome } from './history.ts';

const PATIENCE_MS = 15_000;
const PROTOCOL = '2025-11-25';

/** Who calls, in which role, by which key. */
export interface Identity {
  readonly name: string;
  readonly role: string;
  readonly keyId: string;
  readonly token: string;
}

export interface Gate {
  readonly node: string;
  readonly url: string;
}

type Effect = Call['effect'];

interface Answer {
  readonly status: number;
  readonly session: string | undefined;
  readonly body: string;
}

interface RpcBody {
  readonly result?: { readonly isError?: boolean; readonly tools?: readonly { name: string }[] };
  readonly error?: { readonly message?: string; readonly data?: { readonly problem?: string } };
}

type Target = Pick<Call, 'method' | 'server' | 'tool' | 'effect'>;

/** One caller at one gate: every request it sends is in the history, and none is sent twice. */
export class Caller {
  readonly identity: Identity;
  readonly gate: Gate;
  readonly #history: History;
  readonly #connections = new Agent({ keepAlive: true, maxSockets: 4 });
  #session: string | undefined;

  constructor(identity: Identity, gate: Gate, history: History) {
    this.identity = identity;
    this.gate = gate;
    this.#history = history;
  }

  /** Calls a tool of a server, and initializes before where there is no session. */
  async call(server: string, tool: string, effect: Effect): Promise<Call> {
    const initialized = await this.#initialize();
    if (initialized !== undefined) return initialized;
    const target = { method: 'tools/call', server, tool, effect };
    const { call } = await this.#ask(target, (id) => ({
      name: `${server}__${tool}`,
      arguments: { id },
    }));
    return call;
  }

  /** The names of the tools that this gate shows to this caller; undefined where it answers no list. */
  async tools(): Promise<readonly string[] | undefined> {
    if ((await this.#initialize()) !== undefined) return undefined;
    const target = { method: 'tools/list', server: null, tool: null, effect: 'none' } as const;
    const { body } = await this.#ask(target, () => ({}));
    return body?.result?.tools?.map(({ name }) => name).toSorted();
  }

  close(): void {
    this.#connections.destroy();
  }

  /** Answers the call that went wrong; nothing when there is a session. */
  async #initialize(): Promise<Call | undefined> {
    if (this.#session !== undefined) return undefined;
    const target = { method: 'initialize', server: null, tool: null, effect: 'none' } as const;
    const { call, session } = await this.#ask(target, () => ({
      protocolVersion: PROTOCOL,
      capabilities: {},
      clientInfo: { name: 'fault lane', version: '1' },
    }));
    this.#session = session;
    return call.outcome.kind === 'ok' ? undefined : call;
  }

  async #ask(
    target: Target,
    paramsOf: (id: string) => unknown,
  ): Promise<{ call: Call; session?: string | undefined; body?: RpcBody }> {
    const { name, role, keyId } = this.identity;
    const call = this.#history.call({
      kind: 'call',
      node: this.gate.node,
      caller: name,
      role,
      keyId,
      ...target,
    });
    try {
      const answer = await this.#post(call.id, {
        jsonrpc: '2.0',
        id: call.id,
        method: target.method,
        params: paramsOf(call.id),
      });
      const body = parse(answer.body);
      const outcome = outcomeOf(answer, body);
      this.#history.end(call, outcome);
      // A gate that was started anew has forgotten its sessions.
      if (outcome.kind === 'refused' && outcome.status === 404) this.#session = undefined;
      return { call, session: answer.session, ...(body === undefined ? {} : { body }) };
    } catch (error) {
      this.#history.end(call, lost(error as NodeJS.ErrnoException));
      return { call };
    }
  }

  #post(id: string, message: unknown): Promise<Answer> {
    const body = JSON.stringify(message);
    return new Promise((resolve, reject) => {
      const sent = request(
        `${this.gate.url}/mcp`,
        { method: 'POST', agent: this.#connections, headers: this.#headers(id, body) },
        (response) => {
          let text = '';
          response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
          response.on('error', reject).on('end', () =>
            resolve({
              status: response.statusCode ?? 0,
              session: response.headers['mcp-session-id'] as string | undefined,
              body: text,
            }),
          );
        },
      );
      const timer = setTimeout(() => sent.destroy(new Error('no answer came')), PATIENCE_MS);
      sent.on('error', reject).on('close', () => clearTimeout(timer));
      sent.end(body);
    });
  }

  #headers(id: string, body: string): Record<string, string> {
    return {
      authorization: `Bearer ${this.identity.token}`,
      'content-type': 'application/json',
      'content-length': String(Buffer.byteLength(body)),
      accept: 'application/json, text/event-stream',
      'user-agent': id,
      'mcp-protocol-version': PROTOCOL,
      ...(this.#session === undefined ? {} : { 'mcp-session-id': this.#session }),
    };
  }
}

/** The body as it is, or the one message of a stream. */
function parse(body: string): RpcBody | undefined {
  const text = /^data: (.+)$/m.exec(body)?.[1] ?? body;
  try {
    return JSON.parse(text) as RpcBody;
  } catch {
    return undefined;
  }
}

function outcomeOf({ status }: Answer, body: RpcBody | undefined): Outcome {
  const problem = body?.error?.data?.problem;
  if (problem !== undefined) return { kind: 'refused', code: problem, status };
  if (body?.result !== undefined && body.result.isError !== true) return { kind: 'ok' };
  const why = body?.error?.message ?? `answered ${status}`;
  return { kind: 'failed', why, answered: true };
}

function lost(error: NodeJS.ErrnoException): Outcome {
  return error.code === 'ECONNREFUSED'
    ? { kind: 'failed', why: error.code, answered: false }
    : { kind: 'unknown', why: error.message };
}
