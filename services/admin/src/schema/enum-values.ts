/** What each enum value of the schema is in events and commands. The schema is checked to have these and no others. */
export const enumValues = {
  ActorKind: { USER: 'user', AGENT: 'agent', SERVICE: 'service' },
  AssigneeKind: { USER: 'user', GROUP: 'group', AGENT: 'agent' },
  AuditDecision: { ALLOW: 'allow', DENY: 'deny' },
  AuditOutcome: {
    OK: 'ok',
    TOOL_ERROR: 'tool-error',
    REFUSED: 'refused',
    UPSTREAM_ERROR: 'upstream-error',
    CANCELLED: 'cancelled',
    UNKNOWN: 'unknown',
  },
  AuditPhase: { INTENT: 'intent', OUTCOME: 'outcome' },
  KeyStatus: {
    ACTIVE: 'active',
    RETIRING: 'retiring',
    LOCKED: 'locked',
    EXPIRED: 'expired',
    REVOKED: 'revoked',
  },
  Management: { NONE: 'none', OBSERVE: 'observe', ADMINISTER: 'administer' },
  PrincipalKind: { USER: 'user', AGENT: 'agent' },
  ServerStatus: {
    SUBMITTED: 'submitted',
    APPROVED: 'approved',
    REJECTED: 'rejected',
    SUSPENDED: 'suspended',
  },
  ToolApproval: {
    PENDING: 'pending',
    APPROVED: 'approved',
    CHANGED: 'changed',
    REMOVED: 'removed',
  },
  ToolClass: { READ: 'read', WRITE: 'write' },
  ToolMode: { READ: 'read', WRITE: 'write', OFF: 'off' },
} as const satisfies Record<string, Record<string, string>>;
