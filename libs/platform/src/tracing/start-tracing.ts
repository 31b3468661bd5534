import { ConfigError } from '../config/load-config.ts';
import { readSecret } from '../config/read-token.ts';
import type { Logger } from '../log/logger.ts';
import type { TracingConfig } from './tracing.config.ts';

/** The traces of a process; `close` sends what is left, within a bounded time. */
export interface Tracing {
  close(): Promise<void>;
}

const NOTHING: Tracing = { close: async () => undefined };

/** Lets this process trace, if it is told where to. Without a collector not even the SDK is loaded. */
export async function startTracing(
  { endpoint, headersFile, sampleRatio }: TracingConfig,
  service: string,
  log: Logger,
): Promise<Tracing> {
  if (endpoint === undefined) return NOTHING;
  const headers = headersFile === undefined ? {} : headersOf(await readSecret(headersFile));
  const { traceTo } = await import('./otlp-tracing.ts');
  return traceTo({ url: addressOf(endpoint), headers, sampleRatio, service, log });
}

function addressOf(endpoint: string): string {
  const url = new URL(endpoint);
  if (url.pathname === '/') url.pathname = '/v1/traces';
  return url.href;
}

function headersOf(text: string): Record<string, string> {
  const headers = new Headers();
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '') continue;
    try {
      const colon = line.indexOf(':');
      headers.append(line.slice(0, Math.max(colon, 0)).trim(), line.slice(colon + 1).trim());
    } catch {
      // The line itself is a secret.
      throw new ConfigError([
        `tracing.headersFile: line ${index + 1} is not of the form \`name: value\``,
      ]);
    }
  }
  return Object.fromEntries(headers);
}
