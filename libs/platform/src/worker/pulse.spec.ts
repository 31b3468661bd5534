import { eventually } from '@gatehouse/testing';
import { afterEach, describe, expect, it } from 'vitest';
import { createLogger } from '../log/logger.ts';
import { Pulse } from './pulse.ts';

const log = createLogger({ service: 'test', level: 'silent' });
let pulse: Pulse;
afterEach(() => pulse.stop());

describe('a pulse', () => {
  it('beats again at once while there is more to do, and then waits to be poked', async () => {
    let left = 5;
    let beats = 0;
    pulse = new Pulse(
      async () => {
        beats += 1;
        left -= 1;
        return left > 0;
      },
      1_000_000,
      log,
    );
    pulse.start();
    await eventually(() => expect(beats).toBe(5));
    pulse.poke();
    await eventually(() => expect(beats).toBe(6));
  });

  it('never beats twice at one time, and does not lose a poke that comes during a beat', async () => {
    let running = 0;
    let most = 0;
    let beats = 0;
    pulse = new Pulse(
      async () => {
        running += 1;
        most = Math.max(most, running);
        if (beats === 0) pulse.poke();
        await new Promise((resolve) => setTimeout(resolve, 5));
        beats += 1;
        running -= 1;
        return false;
      },
      1_000_000,
      log,
    );
    pulse.start();
    pulse.start();
    await eventually(() => expect(beats).toBe(2));
    expect(most).toBe(1);
  });

  it('goes on after an error', async () => {
    let beats = 0;
    pulse = new Pulse(
      async () => {
        beats += 1;
        if (beats === 1) throw new Error('once');
        return false;
      },
      1_000_000,
      log,
    );
    pulse.start();
    await eventually(() => expect(beats).toBe(2));
  });

  it('ends with the beat in hand when it is stopped', async () => {
    let finished = false;
    pulse = new Pulse(
      async () => {
        await new Promise((resolve) => setTimeout(resolve, 30));
        finished = true;
        return true;
      },
      0,
      log,
    );
    pulse.start();
    await pulse.stop();
    expect(finished).toBe(true);
  });
});
