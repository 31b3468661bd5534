import type { Transport } from '@gatehouse/event-catalog';
import { Connection } from './connection.ts';
import { timedOut } from './failure.ts';
import { shakeHands } from './handshake.ts';
import { openTransport } from './open-transport.ts';
import type { Upstream, UpstreamSettings } from './upstream.ts';

/**
 * Opens the transport and shakes hands. A command that is not allowed is refused with `command-not-allowed`. Whatever
 * else fails leaves nothing behind, no process and no stream, and is thrown as `upstream-unavailable`,
 * `upstream-timeout` or `upstream-garbled`, with the reason in `internal`.
 */
export async function connectUpstream(
  transport: Transport,
  settings: UpstreamSettings,
): Promise<Upstream> {
  const connection = new Connection(
    (answeredAtOnce) => openTransport(transport, { ...settings, answeredAtOnce }),
    settings,
  );
  try {
    const said = await within(settings.connectTimeoutMs, shakeHands(connection, settings));
    return {
      server: said.server,
      capabilities: said.capabilities,
      request: (method, params, options) => connection.request(method, params, options),
      notify: (method, params) => connection.notify(method, params),
      close: () => connection.close(),
    };
  } catch (error) {
    const explained = connection.explain(error);
    await connection.close();
    throw explained;
  }
}

async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(timedOut(`it did not shake hands within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
