/** Something that runs in the background of a process until it is told to stop. */
export interface Worker {
  readonly name: string;
  start(): Promise<void>;
  /** Resolves when the work in hand is done and nothing more will be. */
  stop(): Promise<void>;
}
