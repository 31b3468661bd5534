import { request, type IncomingHttpHeaders } from 'node:http';

const HEADERS = {
  'content-type': 'application/json',
  accept: 'application/json, text/event-stream',
  'mcp-protocol-version': '2025-11-25',
};
const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'raw', version: '1' },
  },
};

interface Answer {
  readonly headers: IncomingHttpHeaders;
  /** All of it as it came over the wire: status line, headers in their order, body; but for the date and the ids of session and event. */
  readonly wire: string;
}

function ask(
  url: string,
  token: string,
  method: 'POST' | 'GET' | 'DELETE',
  session: string | undefined,
  message?: object,
): Promise<Answer> {
  const headers = {
    ...HEADERS,
    authorization: `Bearer ${token}`,
    ...(session === undefined ? {} : { 'mcp-session-id': session }),
  };
  return new Promise((resolve, reject) => {
    const asked = request(url, { method, headers, agent: false }, (response) => {
      let body = '';
      const { statusCode, statusMessage, rawHeaders, headers: read } = response;
      response.setEncoding('utf8').on('data', (text: string) => (body += text));
      response.on('error', reject).on('end', () => {
        const lines = rawHeaders.flatMap((name, index) =>
          index % 2 === 0 ? [`${name}: ${rawHeaders[index + 1]}`] : [],
        );
        const wire = [`${statusCode} ${statusMessage}`, ...lines, '', body]
          .join('\n')
          .replaceAll(/^(date|mcp-session-id|id): .*$/gim, '$1: …');
        resolve({ headers: read, wire });
      });
    });
    asked.on('error', reject);
    asked.end(message === undefined ? undefined : JSON.stringify(message));
  });
}

/** Everything that a client is answered who opens a session at an endpoint, calls a tool there, and asks what else there is. */
export async function rawAnswers(url: string, token: string, tool: string): Promise<string> {
  const opened = await ask(url, token, 'POST', undefined, initialize);
  const id = opened.headers['mcp-session-id'];
  const session = typeof id === 'string' ? id : undefined;
  const later = (method: string, params: object = {}): Promise<Answer> =>
    ask(url, token, 'POST', session, { jsonrpc: '2.0', id: 2, method, params });
  const answers = [
    opened,
    await ask(url, token, 'POST', session, { jsonrpc: '2.0', method: 'notifications/initialized' }),
    await later('tools/call', { name: tool, arguments: {} }),
    await later('tools/call', { name: tool, arguments: { a: 1 }, _meta: { progressToken: 7 } }),
    await later('ping'),
    // With a session it would be a stream without end.
    ...(session === undefined ? [await ask(url, token, 'GET', session)] : []),
    await ask(url, token, 'DELETE', session),
  ];
  return answers.map(({ wire }) => wire).join('\n---\n');
}

/** The tools of an endpoint exactly as they come over the wire. */
export async function rawTools(url: string, token: string): Promise<readonly { name: string }[]> {
  const { headers } = await ask(url, token, 'POST', undefined, initialize);
  const session = String(headers['mcp-session-id']);
  const { wire } = await ask(url, token, 'POST', session, {
    jsonrpc: '2.0',
    id: 2,
    method: 'tools/list',
  });
  const [, event] = /^data: (.*)$/m.exec(wire) ?? [];
  const body = event ?? wire.slice(wire.indexOf('\n\n') + 2);
  const { result } = JSON.parse(body) as { result: { tools: readonly { name: string }[] } };
  await ask(url, token, 'DELETE', session);
  return result.tools;
}
