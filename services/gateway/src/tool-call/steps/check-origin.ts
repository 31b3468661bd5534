import { lacksHost } from '@gatehouse/platform';
import { Refusal } from '@gatehouse/problem-catalog';
import type { Exchange } from '../../entrance/exchange.ts';
import type { Gate } from '../../gate.ts';

const LOOPBACK = /^(?:127\.|::1$|::ffff:127\.)/;
const HOST_NAME = /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/;

/** Keeps web pages out that were not invited: by their origin, and by the host name that DNS rebinding cannot forge. */
export function checkOrigin({ request }: Exchange, { config }: Gate): void {
  const { origin, host } = request.headers;
  if (lacksHost(request))
    throw new Refusal('request-invalid', { detail: 'Send the header `Host`.' });
  if (origin !== undefined && !config.allowedOrigins.includes(origin)) {
    throw new Refusal('origin-refused', { internal: `origin ${origin.slice(0, 200)}` });
  }
  if (!LOOPBACK.test(request.socket.localAddress ?? '')) return;
  const name = HOST_NAME.exec(host ?? '')?.[1]?.toLowerCase() ?? '';
  if (!config.allowedHosts.includes(name)) {
    const internal = `host ${String(host).slice(0, 200)} on a loopback address`;
    throw new Refusal('origin-refused', {
      detail: 'This host name is not allowed here.',
      internal,
    });
  }
}
