import type { ProblemCode } from '@gatehouse/problem-catalog';

/** Who is calling, as decisions and records need it. Frozen; the same object until something about the caller changes. */
export interface CallingPrincipal {
  readonly kind: 'user' | 'agent';
  readonly id: string;
  readonly name: string;
  /** Their own roles and those of their groups, sorted, each once. */
  readonly roles: readonly string[];
  /** Callers with the same roles share it. */
  readonly classKey: string;
}

/** The outcome of looking at a caller's credentials. `internal` says what was wrong with them, for logs and audit only. */
export type Authentication =
  | {
      readonly kind: 'principal';
      readonly principal: CallingPrincipal;
      readonly keyId: string;
    }
  | {
      readonly kind: 'refused';
      readonly code: Extract<
        ProblemCode,
        'authentication-required' | 'token-malformed' | 'token-refused'
      >;
      readonly internal: string;
    };
