import { createRequire } from 'node:module';

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

const PATCHED = Symbol.for('gatehouse.kafkajs.calm-idle-connections');
const KNOWN_VERSION = '2.2.4';

/**
 * kafkajs 2.2.4 keeps a timer of one millisecond running on every idle connection (tulios/kafkajs#1751), to look at
 * requests that are not there. We let it look only while some are waiting. Throws where the library is another one:
 * then this must be judged again.
 */
export function calmIdleConnections(): void {
  const require = createRequire(import.meta.url);
  const { version } = require('kafkajs/package.json') as { version: string };
  const { prototype } = require('kafkajs/src/network/requestQueue') as {
    prototype: RequestQueue & { [PATCHED]?: true };
  };
  if (prototype[PATCHED]) return;
  const original = Reflect.get(prototype, 'scheduleCheckPendingRequests') as
    | (() => void)
    | undefined;
  if (version !== KNOWN_VERSION || !original?.toString().includes('throttleCheckTimeoutId')) {
    throw new Error(`kafkajs ${version} is not the one whose idle connections are known to spin`);
  }
  prototype.scheduleCheckPendingRequests = function scheduleOnlyWhatWaits(): void {
    if (this.pending.length > 0) original.call(this);
  };
  prototype[PATCHED] = true;
}
