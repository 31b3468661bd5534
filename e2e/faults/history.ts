import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/**
 * How an operation ended for whoever asked. `failed` is an answer that something went wrong, or the certainty that
 * nothing was asked; `unknown` means that no answer came: it may have happened or not.
 */
export type Outcome =
  | { readonly kind: 'ok' }
  | { readonly kind: 'refused'; readonly code: string; readonly status: number }
  | { readonly kind: 'failed'; readonly why: string; readonly answered: boolean }
  | { readonly kind: 'unknown'; readonly why: string };

/** Times are milliseconds of the one clock of this machine; null while it has not ended. */
interface Timed {
  readonly invokedAt: number;
  completedAt: number | null;
}

/** One HTTP request to a gate. Its id travels as user agent, which the gate records, and as argument of the tool. */
export interface Call extends Timed {
  readonly kind: 'call';
  readonly id: string;
  readonly node: string;
  readonly caller: string;
  /** The one role that the caller was given. */
  readonly role: string;
  readonly keyId: string;
  readonly method: string;
  readonly server: string | null;
  readonly tool: string | null;
  readonly effect: 'read' | 'write' | 'none';
  outcome: Outcome;
}

/** Who keep a log, and tell the gates what to let in. */
export const OWNERS = ['identity', 'policy', 'registry'] as const;
export type Owner = (typeof OWNERS)[number];

/**
 * What a change takes away: all calls by a key, of a principal, at a server, of one who has lost an assignment, or of
 * all who hold a role; `at` says that only calls of one tool are.
 */
export interface Restriction {
  readonly subject: 'key' | 'principal' | 'server' | 'assignment' | 'role';
  readonly of: string;
  readonly at?: { readonly server: string; readonly tool: string };
}

/** One change that an administrator asked for. */
export interface AdminOperation extends Timed {
  readonly kind: 'admin';
  readonly id: string;
  readonly action: string;
  readonly entity: string;
  /** What this takes away for good, or until an operation that restores it. */
  readonly restricts?: Restriction;
  readonly restores?: Restriction;
  /** The event that it leaves in its owner's log; `mark` is in its data, and in no other of this type but a repeat. */
  readonly leaves: { readonly owner: string; readonly type: string; readonly mark: string };
  outcome: Outcome;
}

/** A stretch of time in which something was broken on purpose. */
export interface Fault extends Timed {
  readonly kind: 'fault';
  readonly id: string;
  readonly what: string;
  /** The services that may be late with what they tell or hear for it: gateways and owners. All others keep their bounds. */
  readonly hits: readonly string[];
  /** Gateways that could hear nothing of the bus meanwhile. */
  readonly blinded: readonly string[];
  /** Which service was killed to be started anew, and when it was down. */
  ended?: { readonly service: string; readonly at: number };
}

export type Entry = Call | AdminOperation | Fault;

/** An entry before it has an id, a time and an end. */
type Begun<E extends Entry> = E extends Entry
  ? Omit<E, 'id' | 'invokedAt' | 'completedAt' | 'outcome'>
  : never;

const PENDING: Outcome = { kind: 'unknown', why: 'it never ended' };

/** All that was asked and how it ended, in memory and, line by line, in a file that outlives a run that went wrong. */
export class History {
  readonly file: string;
  readonly #entries: Entry[] = [];
  readonly #name: string;
  #next = 1;
  #isJudged = false;

  constructor(seed: number) {
    this.#name = `fault-${seed}-${process.pid}`;
    this.file = join(mkdtempSync(join(tmpdir(), 'gatehouse-history-')), 'history.jsonl');
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  get calls(): readonly Call[] {
    return this.#entries.filter((entry) => entry.kind === 'call');
  }

  call(begun: Begun<Call>): Call {
    return this.#begin<Call>({ ...begun, ...this.#stamp(), outcome: PENDING });
  }

  admin(begun: (id: string) => Begun<AdminOperation>): AdminOperation {
    const stamp = this.#stamp();
    return this.#begin<AdminOperation>({ ...begun(stamp.id), ...stamp, outcome: PENDING });
  }

  fault(begun: Begun<Fault>): Fault {
    return this.#begin<Fault>({ ...begun, ...this.#stamp() });
  }

  end(entry: Entry, outcome?: Outcome): void {
    if (entry.kind !== 'fault' && outcome !== undefined) entry.outcome = outcome;
    entry.completedAt = Date.now();
    this.#write('end', entry);
  }

  /** Says that all there is so far was found to be well. */
  judgedWell(): void {
    this.#isJudged = true;
  }

  /** Removes the file, unless something of it is still to be looked at. */
  dispose(): void {
    if (this.#isJudged) rmSync(dirname(this.file), { recursive: true, force: true });
  }

  #stamp(): { id: string; invokedAt: number; completedAt: null } {
    // Of one width, so that none is the beginning of another.
    const id = `${this.#name}-${String(this.#next).padStart(7, '0')}`;
    this.#next += 1;
    return { id, invokedAt: Date.now(), completedAt: null };
  }

  #begin<E extends Entry>(entry: E): E {
    this.#entries.push(entry);
    this.#isJudged = false;
    this.#write('begin', entry);
    return entry;
  }

  #write(event: 'begin' | 'end', entry: Entry): void {
    appendFileSync(this.file, `${JSON.stringify({ event, ...entry })}\n`);
  }
}
