import { afterAll, describe, expect, it } from 'vitest';
import { createLogger } from '../log/logger.ts';
import { exposition } from '../metrics/registry.ts';
import { scraped } from '../testing/scrape.ts';
import { openBus, type OpenedBus } from './open-bus.ts';

const log = createLogger({ service: 'test', level: 'silent' });
const NOBODY = '127.0.0.1:9';
const opened: OpenedBus[] = [];
afterAll(() => Promise.all(opened.map((bus) => bus.close())));

const connected = async (): Promise<number | undefined> =>
  scraped((await exposition()).text).value('gatehouse_bus_connected');

describe('a bus that nobody answers at', () => {
  it.each([`kafka://${NOBODY}`, `postgres://gatehouse_bus@${NOBODY}/nowhere`])(
    'is told to Prometheus as not connected, while it is open: %s',
    async (url) => {
      const bus = openBus({ url }, log);
      opened.push(bus);
      expect(await connected()).toBe(0);
      await bus.close();
      opened.pop();
      expect(await connected()).toBeUndefined();
    },
  );
});
