import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';

/** What came of one call: the text that the tool answered, or the error that the caller was told. */
export interface CallResult {
  readonly text: string;
  readonly failed: boolean;
}

/** A session of the official MCP client at one endpoint of the gate. */
export interface McpCaller {
  listTools(): Promise<readonly string[]>;
  call(tool: string, args: Readonly<Record<string, unknown>>): Promise<CallResult>;
  /** How often the gate has told this session that its tools changed. */
  readonly announcements: number;
  close(): Promise<void>;
}

/** Connects with a key; throws what the client throws when the gate refuses. `onRequest` is told the method of every message that leaves. */
export async function connectCaller(
  endpoint: string,
  token: string,
  name: string,
  onRequest: (method: string) => void = () => undefined,
): Promise<McpCaller> {
  const client = new Client({ name, version: '1.0.0' });
  let announcements = 0;
  client.setNotificationHandler('notifications/tools/list_changed', () => {
    announcements += 1;
  });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(endpoint), {
      requestInit: { headers: { authorization: `Bearer ${token}` } },
      fetch: (url, init) => {
        onRequest(methodOf(init));
        return fetch(url, init);
      },
    }),
  );
  return {
    get announcements() {
      return announcements;
    },
    async listTools() {
      const { tools } = await client.listTools();
      return tools.map((tool) => tool.name).toSorted();
    },
    async call(tool, args) {
      try {
        const result = await client.callTool({ name: tool, arguments: args });
        const content = result.content as readonly { type: string; text?: string }[];
        return {
          text: content.map((block) => block.text ?? '').join('\n'),
          failed: result.isError === true,
        };
      } catch (error) {
        return { text: (error as Error).message, failed: true };
      }
    },
    close: () => client.close(),
  };
}

/** What a request asks for: the method of its message, or that of HTTP where it carries none. */
function methodOf({ method = 'GET', body }: RequestInit = {}): string {
  if (typeof body !== 'string') return method;
  return (JSON.parse(body) as { readonly method?: string }).method ?? 'response';
}
