import type { Logger } from '@gatehouse/platform';

/** Tells that evidence cannot be written, and that it can again: once each, however many attempts fail meanwhile. */
export class SpoolAlarm {
  readonly #log: Logger;
  #raised = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  raise(cause: object): void {
    if (this.#raised) return this.#log.debug(cause, 'evidence still cannot be written');
    this.#raised = true;
    this.#log.error(
      { alarm: true, ...cause },
      'ALARM: evidence cannot be written, so requests are refused',
    );
  }

  end(): void {
    if (!this.#raised) return;
    this.#raised = false;
    this.#log.error({ alarm: false }, 'the evidence spool writes again');
  }
}
