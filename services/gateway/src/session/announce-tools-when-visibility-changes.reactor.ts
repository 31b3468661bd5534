import type { StateChange } from '../state/state-change.ts';
import type { Visibility } from '../state/visible-tools.ts';
import { announceTools, hasNews } from './announce-tools.ts';
import type { RevocationDeps } from './end-sessions-when-principal-loses-access.reactor.ts';
import { sessionsTouchedBy } from './sessions-touched-by.ts';

/** Sends `tools/list_changed` on the stream of every session whose visible tools are not what they were. */
export function announceToolsWhenVisibilityChanges(
  deps: RevocationDeps & { readonly visibility: Visibility },
) {
  return (change: StateChange): number => {
    let told = 0;
    const now = deps.clock.now();
    for (const session of sessionsTouchedBy(change, deps.sessions)) {
      const caller = deps.state.directory.current(session.principal, session.keyId, now);
      if (caller === undefined || !hasNews(deps.visibility, session, caller)) continue;
      told += 1;
      announceTools(deps.visibility, session, caller).catch((error: unknown) => {
        deps.log.warn(
          { session: session.ref, err: error },
          'a client could not be told of its tools',
        );
      });
    }
    return told;
  };
}
