import { createRequire } from 'node:module';
import { describe, expect, it, vi } from 'vitest';
import { calmIdleConnections } from './calm-idle-connections.ts';

interface RequestQueue {
  scheduleCheckPendingRequests(): void;
}

const require = createRequire(import.meta.url);
const { prototype } = require('kafkajs/src/network/requestQueue') as { prototype: RequestQueue };

describe('the patch of the idle connections of kafkajs', () => {
  it('refuses a library that is not the one it was made for', () => {
    const known = Reflect.get(prototype, 'scheduleCheckPendingRequests');
    prototype.scheduleCheckPendingRequests = () => undefined;
    expect(() => calmIdleConnections()).toThrow('is not the one whose idle connections');
    prototype.scheduleCheckPendingRequests = known;
  });

  it('looks again only while requests are waiting', () => {
    calmIdleConnections();
    calmIdleConnections();
    vi.useFakeTimers();
    const look = (pending: readonly unknown[]): number => {
      const queue = Object.assign(Object.create(prototype) as RequestQueue, {
        pending,
        throttledUntil: -1,
        throttleCheckTimeoutId: null,
      });
      queue.scheduleCheckPendingRequests();
      return vi.getTimerCount();
    };
    expect(look([])).toBe(0);
    expect(look([{}])).toBe(1);
    vi.useRealTimers();
  });
});
