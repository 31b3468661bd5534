import type { Transport as ServerTransport } from '@gatehouse/event-catalog';
import { isLegacyProtocolVersion, legacyProtocolVersions, methods } from '@gatehouse/mcp-protocol';
import type { Logger } from '@gatehouse/platform';
import { Refusal } from '@gatehouse/problem-catalog';
import { product } from '../product.ts';
import { openTransport } from './open-transport.ts';
import { UpstreamConnection } from './upstream-connection.ts';
import { refusalOf } from './upstream-failure.ts';

export interface ConnectOptions {
  readonly connectTimeoutMs: number;
  readonly resultLimitBytes: number;
  readonly stdioCommands: readonly string[];
  readonly log: Logger;
  readonly onBroken: (connection: UpstreamConnection) => void;
}

/** Reaches or starts a server and shakes hands, declaring no capability: whatever servers may ask of clients, the gate does not do. */
export async function connect(
  to: ServerTransport,
  options: ConnectOptions,
): Promise<UpstreamConnection> {
  const { log, resultLimitBytes, stdioCommands } = options;
  const opened = openTransport(to, {
    resultLimitBytes,
    stdioCommands,
    answeredAtOnce: (requestId) => connection.noteAnsweredAtOnce(requestId),
    stderr: (text) =>
      log.debug({ stderr: text }, 'a server behind the gate wrote to its standard error'),
  });
  const connection = new UpstreamConnection(opened, options.onBroken);
  try {
    await connection.start();
    await shakeHands(connection, options.connectTimeoutMs);
    return connection;
  } catch (failure) {
    void connection.leave();
    throw refusalOf(failure, false);
  }
}

async function shakeHands(connection: UpstreamConnection, timeoutMs: number): Promise<void> {
  const answer = await connection.request({
    method: methods.initialize,
    params: {
      protocolVersion: legacyProtocolVersions[0],
      capabilities: {},
      clientInfo: product,
    },
    timeoutMs,
  });
  if (answer.kind === 'error') {
    throw new Refusal('upstream-unavailable', { internal: `initialize: ${answer.error.message}` });
  }
  const { protocolVersion } = answer.result;
  if (!isLegacyProtocolVersion(protocolVersion)) {
    throw new Refusal('upstream-garbled', {
      internal: `initialize: version ${String(protocolVersion)}`,
    });
  }
  connection.setProtocolVersion(protocolVersion);
  await connection.notify(methods.initialized);
}
