import { request, Agent, type IncomingMessage } from 'node:http';

/** A session that tells when it is cut: its stream, and a call under way in it. */
export interface WatchedSession {
  /** Opens the stream on which the session hears what it did not ask for; `ended` resolves once it did. */
  listen(): Promise<{ readonly ended: Promise<End> }>;
  /** Starts a call; resolves when its answer was there in full, or the connection broke. */
  call(tool: string, args: Readonly<Record<string, unknown>>): Promise<End>;
  /** Ends the session, where it has not ended yet. */
  close(): Promise<void>;
}

export interface End {
  readonly at: number;
  /** Whether it was the other side that ended it: false where the connection broke. */
  readonly isWhole: boolean;
  readonly status: number;
  readonly body: string;
}

/** Initializes a session; throws unless the gate takes it. */
export async function openWatchedSession(endpoint: string, token: string): Promise<WatchedSession> {
  const url = new URL(endpoint);
  const agent = new Agent({ keepAlive: true });
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    authorization: `Bearer ${token}`,
  };
  const send = (method: 'POST' | 'GET' | 'DELETE', message?: unknown): Promise<IncomingMessage> =>
    new Promise((resolve, reject) => {
      const body = message === undefined ? '' : JSON.stringify(message);
      const accept = method === 'GET' ? 'text/event-stream' : 'application/json, text/event-stream';
      const length = { 'content-length': Buffer.byteLength(body) };
      const options = { method, agent, headers: { ...headers, ...length, accept } };
      const sent = request(url, options, resolve);
      sent.on('error', reject);
      sent.end(body);
    });
  const clientInfo = { name: 'bench', version: '1' };
  const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo };
  const opened = await send('POST', { jsonrpc: '2.0', id: 0, method: 'initialize', params });
  const { body } = await endOf(opened);
  if (opened.statusCode !== 200) {
    agent.destroy();
    throw new Error(`initialize: ${opened.statusCode} ${body}`);
  }
  headers['mcp-session-id'] = String(opened.headers['mcp-session-id']);
  headers['mcp-protocol-version'] = '2025-11-25';
  await endOf(await send('POST', { jsonrpc: '2.0', method: 'notifications/initialized' }));
  let id = 0;
  return {
    async listen() {
      const stream = await send('GET');
      if (stream.statusCode !== 200) throw new Error(`the stream: ${stream.statusCode}`);
      return { ended: endOf(stream) };
    },
    async call(name, args) {
      id += 1;
      const call = { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } };
      try {
        return await endOf(await send('POST', call));
      } catch {
        return { at: performance.now(), isWhole: false, status: 0, body: '' };
      }
    },
    async close() {
      await send('DELETE').then(endOf, () => undefined);
      agent.destroy();
    },
  };
}

/** When the answer ended, be it complete or not. */
function endOf(response: IncomingMessage): Promise<End> {
  return new Promise((resolve) => {
    let body = '';
    response.setEncoding('utf8').on('data', (text: string) => (body += text));
    response.on('error', () => undefined);
    response.on('close', () => {
      const { complete: isWhole, statusCode: status = 0 } = response;
      resolve({ at: performance.now(), isWhole, status, body });
    });
  });
}
