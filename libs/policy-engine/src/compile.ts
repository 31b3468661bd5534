import type { RoleDefinition, ToolGrant, ToolMode } from '@gatehouse/event-catalog';
import { DecisionMemo } from './decision-memo.ts';
import { specificity } from './glob.ts';

/** One line of a role: what it says of the tools that its patterns match. */
export interface CompiledLine {
  readonly role: string;
  readonly connector: string;
  readonly pattern: string;
  readonly mode: ToolMode;
  readonly deny: boolean;
}

/** A role with its lines in the order in which they win: the first that matches is what the role says. */
export interface CompiledRole {
  readonly name: string;
  readonly management: RoleDefinition['management'];
  readonly lines: readonly CompiledLine[];
}

/** Roles made ready to decide by. Opaque: made by `compile`, read by `decide` and `managementOf`. */
export interface CompiledPolicy {
  readonly roles: ReadonlyMap<string, CompiledRole>;
  readonly memo: DecisionMemo;
}

/**
 * Makes roles ready to decide by. Within a role the winning line is, of those that match server and tool, the one with
 * the most specific connector; then the one with the most specific tool pattern (see `specificity`); then, of lines
 * equally specific, the more restrictive one (explicit deny, off, read, write); then the first by code units. Throws on
 * two roles of one name, since either choice between them could widen somebody's access.
 */
export function compile(roles: readonly RoleDefinition[]): CompiledPolicy {
  const compiled = new Map<string, CompiledRole>();
  for (const role of roles) {
    if (compiled.has(role.name)) throw new Error(`the role ${role.name} is defined twice`);
    compiled.set(role.name, { name: role.name, management: role.management, lines: linesOf(role) });
  }
  return { roles: compiled, memo: new DecisionMemo(compiled) };
}

function linesOf(role: RoleDefinition): CompiledLine[] {
  return role.connectors
    .flatMap(({ slug, tools }) =>
      Object.entries(tools).map(([pattern, grant]) => ({
        role: role.name,
        connector: slug,
        pattern,
        ...modeOf(grant),
      })),
    )
    .toSorted(byPrecedence);
}

function modeOf(grant: ToolGrant): Pick<CompiledLine, 'mode' | 'deny'> {
  return typeof grant === 'string'
    ? { mode: grant, deny: false }
    : { mode: grant.mode, deny: grant.deny };
}

function byPrecedence(a: CompiledLine, b: CompiledLine): number {
  return (
    descending(specificity(a.connector), specificity(b.connector)) ||
    descending(specificity(a.pattern), specificity(b.pattern)) ||
    permissiveness(a) - permissiveness(b) ||
    byCodeUnits(a.connector, b.connector) ||
    byCodeUnits(a.pattern, b.pattern)
  );
}

// Not a subtraction: exact patterns are infinitely specific, and infinity minus itself is no number.
function descending(a: number, b: number): number {
  if (a === b) return 0;
  return a > b ? -1 : 1;
}

function byCodeUnits(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** How much a line permits, an explicit deny least. */
export function permissiveness(line: CompiledLine): number {
  return line.deny ? 0 : { off: 1, read: 2, write: 3 }[line.mode];
}
