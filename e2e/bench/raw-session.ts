import { Agent, request, type IncomingMessage } from 'node:http';

/** An MCP session at one endpoint over one keep-alive pool, with as little of a client as will do: what is measured is the other side. */
export interface RawSession {
  /** Calls a tool and answers the milliseconds until the whole answer is there; throws unless it is a result. */
  call(tool: string, args: Readonly<Record<string, unknown>>): Promise<number>;
  /** Asks for the list of tools: the milliseconds until it is there, and how many there are. */
  list(): Promise<{ readonly took: number; readonly tools: number }>;
  close(): void;
}

/** Initializes a session. */
export async function openRawSession(
  endpoint: string,
  token: string | undefined,
): Promise<RawSession> {
  const agent = new Agent({ keepAlive: true, maxSockets: 64 });
  const url = new URL(endpoint);
  const headers: Record<string, string> = {
    'content-type': 'application/json',
    accept: 'application/json, text/event-stream',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
  };
  let nextId = 1;
  const post = (message: unknown): Promise<{ response: IncomingMessage; body: string }> =>
    new Promise((resolve, reject) => {
      const body = JSON.stringify(message);
      const sent = request(
        url,
        {
          method: 'POST',
          agent,
          headers: { ...headers, 'content-length': Buffer.byteLength(body) },
        },
        (response) => {
          let text = '';
          response.setEncoding('utf8');
          response.on('data', (chunk: string) => (text += chunk));
          response.on('end', () => resolve({ response, body: text }));
          response.on('error', reject);
        },
      );
      sent.on('error', reject);
      sent.end(body);
    });
  const params = {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'bench', version: '1' },
  };
  const { response, body } = await post({ jsonrpc: '2.0', id: 0, method: 'initialize', params });
  if (response.statusCode !== 200) throw new Error(`initialize: ${response.statusCode} ${body}`);
  const session = response.headers['mcp-session-id'];
  if (typeof session === 'string') headers['mcp-session-id'] = session;
  headers['mcp-protocol-version'] = '2025-11-25';
  await post({ jsonrpc: '2.0', method: 'notifications/initialized' });
  const ask = async (method: string, asked: object): Promise<{ took: number; body: string }> => {
    const id = nextId;
    nextId += 1;
    const began = performance.now();
    const answer = await post({ jsonrpc: '2.0', id, method, params: asked });
    const took = performance.now() - began;
    if (!answer.body.includes('"result"')) throw new Error(`${method}: ${answer.body}`);
    return { took, body: answer.body };
  };
  return {
    async call(tool, args) {
      return (await ask('tools/call', { name: tool, arguments: args })).took;
    },
    async list() {
      const { took, body } = await ask('tools/list', {});
      return { took, tools: body.split('"inputSchema"').length - 1 };
    },
    close: () => agent.destroy(),
  };
}
