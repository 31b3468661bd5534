import type { ToolClass, ToolMode } from '@gatehouse/event-catalog';

/** What is asked: may a caller with these roles call this tool of this server? Order and repetition of roles do not matter. */
export interface DecisionRequest {
  readonly roles: readonly string[];
  readonly server: string;
  readonly tool: string;
  readonly toolClass: ToolClass;
}

/** Why a decision fell as it did. Codes are stable: they are written into audit records. */
export type DecisionCode =
  | 'granted'
  | 'no-role'
  | 'not-granted'
  | 'mode-off'
  | 'write-needs-write-mode'
  | 'explicit-deny';

/** The line that decided: whose role, which connector, which tool pattern, which mode. All null when no line did. */
export interface DecisionReason {
  readonly code: DecisionCode;
  readonly text: string;
  readonly role: string | null;
  readonly connector: string | null;
  readonly pattern: string | null;
  readonly mode: ToolMode | null;
}

/** The answer, with the reason that decided it. Frozen, and shared between callers of one class. */
export interface Decision {
  readonly allow: boolean;
  readonly reason: DecisionReason;
}
