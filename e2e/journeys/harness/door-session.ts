/** What was answered to one message. */
interface Answer {
  readonly status: number;
  readonly body: string;
}

/** An MCP session that can be asked for at any address: at the door, or at one gateway behind it. */
export interface DoorSession {
  /** Sends a message in this session; to `base`, or to the door through which it was opened. Rejects when the connection breaks. */
  send(message: { readonly [member: string]: unknown }, base?: string): Promise<Answer>;
  call(tool: string, args: { readonly [name: string]: unknown }): Promise<Answer>;
  /** Opens the stream of the session; whoever aborts leaves it. */
  listen(leaving: AbortSignal): Promise<Response>;
  /** The place of the gateway that holds this session, among those given; -1 where none does. */
  nodeAmong(gateUrls: readonly string[]): Promise<number>;
}

const PATIENCE_MS = 30_000;

/** Opens a session through the door; throws unless it is let in. */
export async function openDoorSession(door: string, token: string): Promise<DoorSession> {
  const headers: Record<string, string> = {
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
  };
  const post = (message: unknown, base: string): Promise<Response> =>
    fetch(`${base}/mcp`, {
      method: 'POST',
      headers,
      body: JSON.stringify(message),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  const clientInfo = { name: 'door', version: '1' };
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  const opened = await post({ jsonrpc: '2.0', id: 0, method: 'initialize', params }, door);
  const body = await opened.text();
  if (opened.status !== 200) throw new Error(`initialize: ${opened.status} ${body}`);
  headers['mcp-session-id'] = opened.headers.get('mcp-session-id') ?? '';
  headers['mcp-protocol-version'] = '2025-11-25';
  await post({ jsonrpc: '2.0', method: 'notifications/initialized' }, door);
  let id = 0;
  const session: DoorSession = {
    async send(message, base = door) {
      id += 1;
      const answer = await post({ jsonrpc: '2.0', id, ...message }, base);
      return { status: answer.status, body: await answer.text() };
    },
    call: (name, args) => session.send({ method: 'tools/call', params: { name, arguments: args } }),
    listen: (leaving) =>
      fetch(`${door}/mcp`, {
        headers: { ...headers, accept: 'text/event-stream' },
        signal: leaving,
      }),
    async nodeAmong(gateUrls) {
      const answers = await Promise.all(
        gateUrls.map((url) => session.send({ method: 'ping' }, url).catch(() => undefined)),
      );
      return answers.findIndex((answer) => answer?.status === 200);
    },
  };
  return session;
}
