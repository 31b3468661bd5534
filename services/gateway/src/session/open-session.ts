import { randomUUID } from 'node:crypto';
import {
  initializeParamsSchema,
  legacyProtocolVersions,
  negotiateLegacyVersion,
  type RpcRequest,
} from '@gatehouse/mcp-protocol';
import { Refusal } from '@gatehouse/problem-catalog';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import { admitted, type Answer } from '../entrance/answer.ts';
import type { Caller, Exchange } from '../entrance/exchange.ts';
import { webRequestOf } from '../entrance/request-stream.ts';
import type { Gate } from '../gate.ts';
import { product } from '../product.ts';
import { endSession } from './end-session.ts';
import { Session } from './session.ts';

const MAX_NAME_LENGTH = 128;

/** Answers `initialize`: the gate itself is the server here, and offers what it governs, which is tools. */
export async function openSession(
  exchange: Exchange,
  request: RpcRequest,
  caller: Caller,
  gate: Gate,
): Promise<Answer> {
  const params = initializeParamsSchema.safeParse(request.params);
  if (!params.success) {
    throw new Refusal('request-invalid', {
      detail: 'The parameters of `initialize` are not right.',
    });
  }
  const { name, version } = params.data.clientInfo;
  exchange.client = {
    name: name.slice(0, MAX_NAME_LENGTH),
    version: version.slice(0, MAX_NAME_LENGTH),
  };
  gate.sessions.assertRoomFor(caller.principal);
  const transport = new WebStandardStreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    supportedProtocolVersions: [...legacyProtocolVersions],
  });
  const result = {
    protocolVersion: negotiateLegacyVersion(params.data.protocolVersion),
    capabilities: { tools: { listChanged: true } },
    serverInfo: product,
  };
  transport.onmessage = () => void transport.send({ jsonrpc: '2.0', id: request.id, result });
  const { id, method, params: raw } = request;
  const response = await transport.handleRequest(webRequestOf(exchange), {
    parsedBody: { jsonrpc: '2.0', id, method, params: raw },
  });
  if (!response.ok || transport.sessionId === undefined) {
    const internal = `the transport answered ${response.status}`;
    throw new Refusal('request-invalid', {
      detail: 'The parameters of `initialize` are not right.',
      internal,
    });
  }
  // From here on requests are routed by the gate; the transport frames what it is given.
  transport.onmessage = () => undefined;
  const session = new Session({
    id: transport.sessionId,
    principal: caller.principal,
    keyId: caller.keyId,
    endpoint: exchange.endpoint,
    client: exchange.client,
    transport,
    announced: gate.visibility.of(caller.principal, exchange.endpoint).list,
    now: performance.now(),
  });
  exchange.session = session;
  gate.sessions.add(session);
  const settle = (recorded: boolean): Promise<void> | undefined =>
    recorded
      ? undefined
      : endSession(gate.sessions, session, 'unrecorded', 'its opening could not be recorded');
  return { kind: 'framed', response, ending: admitted, settle };
}
