import { permissiveness, type CompiledLine, type CompiledPolicy } from './compile.ts';
import type { ServerView, ToolDecisions } from './decision-memo.ts';
import type { Decision, DecisionRequest } from './decision.ts';
import { decidedBy, undecided } from './explain.ts';
import { matchesGlob } from './glob.ts';

/**
 * Decides whether the roles permit the tool. Each role says what its winning line says (see `compile`). An explicit
 * deny of any role beats every grant of the others; else the most permissive role decides; a role that does not exist
 * and a tool that no line names permit nothing. `read` permits tools of class `read` only. Where several roles would
 * decide alike, the reason names the one that comes first by code units.
 */
export function decide(policy: CompiledPolicy, request: DecisionRequest): Decision {
  const view = policy.memo.viewOf(request.roles, request.server);
  let both = view.tools.get(request.tool);
  if (both === undefined) {
    both = decideBoth(view, request.tool);
    policy.memo.remember(view, request.tool, both);
  }
  return request.toolClass === 'read' ? both.read : both.write;
}

function decideBoth(view: ServerView, tool: string): ToolDecisions {
  if (view.roles.length === 0) return same(undecided('no-role'));
  const winners = view.lines.flatMap(
    (lines) => lines.find((line) => matchesGlob(line.pattern, tool)) ?? [],
  );
  const line = winners.find((winner) => winner.deny) ?? mostPermissive(winners);
  if (line === undefined) return same(undecided('not-granted'));
  if (line.deny) return same(decidedBy('explicit-deny', line));
  if (line.mode === 'off') return same(decidedBy('mode-off', line));
  const granted = decidedBy('granted', line);
  if (line.mode === 'write') return same(granted);
  return { read: granted, write: decidedBy('write-needs-write-mode', line) };
}

function mostPermissive(lines: readonly CompiledLine[]): CompiledLine | undefined {
  let best: CompiledLine | undefined;
  for (const line of lines) {
    if (best === undefined || permissiveness(line) > permissiveness(best)) best = line;
  }
  return best;
}

function same(decision: Decision): ToolDecisions {
  return { read: decision, write: decision };
}
