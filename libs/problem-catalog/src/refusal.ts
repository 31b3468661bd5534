import { problems, type ProblemCode } from './problem.ts';

/**
 * A catalogued refusal on its way to the caller. `detail` is for the caller; `internal` is what happened, for logs
 * and audit only. Anything thrown that is not a Refusal is a bug and becomes `internal`.
 */
export class Refusal extends Error {
  readonly code: ProblemCode;
  readonly detail: string | undefined;
  readonly internal: string | undefined;

  constructor(
    code: ProblemCode,
    options: { detail?: string; internal?: string; cause?: unknown } = {},
  ) {
    super(options.detail ?? problems[code].title, { cause: options.cause });
    this.name = 'Refusal';
    this.code = code;
    this.detail = options.detail;
    this.internal = options.internal;
  }

  get status(): number {
    return problems[this.code].status;
  }
}
