import { readFileSync } from 'node:fs';
import { collectDefaultMetrics, Registry } from 'prom-client';

/** What this process tells Prometheus; one registry, as a process is scraped as one. */
export const registry = new Registry();
collectDefaultMetrics({ register: registry });

/** Names the process in every metric that does not itself say which service it speaks of. */
export function nameProcess(service: string): void {
  registry.setDefaultLabels({ service });
}

/** All metrics as text, and its media type. */
export async function exposition(): Promise<{ readonly type: string; readonly text: string }> {
  return { type: registry.contentType, text: await registry.metrics() };
}

const manifest = new URL('../../package.json', import.meta.url);

/** Which Gatehouse this is. */
export const version = (JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version;
