import { createHash } from 'node:crypto';
import type { PrincipalRef } from '@gatehouse/event-catalog';
import type { RequestId } from '@gatehouse/mcp-protocol';
import type { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import type { Endpoint } from '../entrance/endpoint.ts';
import type { ToolCall } from '../tool-call/tool-call.ts';

/** The stream a client opened by GET, and the key it was opened with. */
export interface ClientStream {
  readonly keyId: string;
}

/** A legacy MCP session. Its id is no credential: every request brings its own, and must be of the same principal. */
export class Session {
  readonly id: string;
  /** A digest of the id: enough for a record to group by, useless to a thief. */
  readonly ref: string;
  readonly principal: PrincipalRef;
  readonly endpoint: Endpoint;
  readonly client: { readonly name: string; readonly version: string };
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly calls = new Map<RequestId, ToolCall>();
  /** The key that the latest request came with. */
  keyId: string;
  lastSeenAt: number;
  stream: ClientStream | null = null;
  /** The list of tools that the client has been given or told to fetch anew. */
  announced: string;

  constructor(opened: {
    id: string;
    principal: PrincipalRef;
    keyId: string;
    endpoint: Endpoint;
    client: { readonly name: string; readonly version: string };
    transport: WebStandardStreamableHTTPServerTransport;
    announced: string;
    now: number;
  }) {
    this.id = opened.id;
    this.ref = createHash('sha256').update(opened.id).digest('hex').slice(0, 16);
    this.principal = opened.principal;
    this.keyId = opened.keyId;
    this.endpoint = opened.endpoint;
    this.client = opened.client;
    this.transport = opened.transport;
    this.announced = opened.announced;
    this.lastSeenAt = opened.now;
  }

  belongsTo(principal: PrincipalRef, endpoint: Endpoint): boolean {
    return (
      this.principal.id === principal.id &&
      this.principal.kind === principal.kind &&
      this.endpoint.path === endpoint.path
    );
  }

  /** Whether nothing goes on in it. */
  get quiet(): boolean {
    return this.stream === null && this.calls.size === 0;
  }
}
