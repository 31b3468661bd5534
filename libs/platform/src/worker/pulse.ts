import type { Logger } from '../log/logger.ts';

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Calls `beat` whenever poked and at least every `intervalMs`, one at a time. `beat` answers true while there is more
 * to do at once. An error is logged and retried after a pause that doubles up to five seconds: never given up.
 */
export class Pulse {
  readonly #beat: () => Promise<boolean>;
  readonly #intervalMs: number;
  readonly #log: Logger;
  #wake: (() => void) | undefined;
  #poked = false;
  #stopping = false;
  #loop: Promise<void> | undefined;

  constructor(beat: () => Promise<boolean>, intervalMs: number, log: Logger) {
    this.#beat = beat;
    this.#intervalMs = intervalMs;
    this.#log = log;
  }

  start(): void {
    this.#loop ??= this.#run();
  }

  poke(): void {
    this.#poked = true;
    this.#wake?.();
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#wake?.();
    await this.#loop;
  }

  async #run(): Promise<void> {
    let pause = FIRST_PAUSE_MS;
    while (!this.#stopping) {
      this.#poked = false;
      try {
        const more = await this.#beat();
        pause = FIRST_PAUSE_MS;
        if (!more) await this.#sleep(this.#intervalMs);
      } catch (error) {
        this.#log.error(
          { err: error, retryInMs: pause },
          'background work failed and will be retried',
        );
        await this.#sleep(pause);
        pause = Math.min(pause * 2, LONGEST_PAUSE_MS);
      }
    }
  }

  async #sleep(ms: number): Promise<void> {
    if (this.#poked || this.#stopping) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }
}
