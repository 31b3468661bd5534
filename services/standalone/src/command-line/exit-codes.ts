/** What the command line tells a script. */
export const exitCodes = { done: 0, failed: 1, usage: 2, notRunning: 3, notReady: 4 } as const;

/** An expected end of a command that is not success: one sentence for the person, a code for the script. */
export class Failure extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode: number = exitCodes.failed) {
    super(message);
    this.name = 'Failure';
    this.exitCode = exitCode;
  }
}
