import { Refusal } from '@gatehouse/problem-catalog';
import type { GateState } from '../state/gate-state.ts';
import type { StateChange } from '../state/state-change.ts';
import type { ToolCall } from '../tool-call/tool-call.ts';
import type { RevocationDeps } from './end-sessions-when-principal-loses-access.reactor.ts';
import { sessionsTouchedBy } from './sessions-touched-by.ts';

/** Cuts the calls under way that would be refused if they were made now. */
export function cutCallsWhenGrantVanishes(deps: RevocationDeps) {
  return (change: StateChange): number => {
    let cut = 0;
    const now = deps.clock.now();
    for (const session of sessionsTouchedBy(change, deps.sessions)) {
      for (const call of session.calls.values()) {
        const why = objectionTo(call, deps.state, now);
        if (why === undefined || call.signal.aborted) continue;
        call.end(new Refusal('call-cut', { internal: why }));
        cut += 1;
      }
    }
    return cut;
  };
}

function objectionTo(call: ToolCall, state: GateState, now: Date): string | undefined {
  if (call.resolved === null) return undefined;
  const { server, name } = call.resolved;
  const current = state.tool(server, name);
  if (current === undefined || state.servers.get(server)?.inService !== true) {
    return `tool ${name} of ${server} is in service no more`;
  }
  const caller = state.directory.current(call.caller.principal, call.caller.keyId, now);
  if (caller === undefined) return 'the caller has no access any more';
  const decision = state.decide(caller, current);
  return decision.allow ? undefined : decision.reason.text;
}
