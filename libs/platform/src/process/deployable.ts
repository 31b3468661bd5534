import type { ConfigSection } from '../config/config-section.ts';
import { rebuildService } from './rebuild-service.ts';
import { runService, type ServiceParts } from './run-service.ts';

/** A service as a process of its own. */
export interface Deployable {
  /** Runs it until SIGINT or SIGTERM, with settings from `env` and the file that it names. */
  run(env: NodeJS.ProcessEnv): Promise<void>;
  /** Folds its read tables anew from the logs; false where it keeps none. It must not run meanwhile. */
  rebuild(env: NodeJS.ProcessEnv): Promise<boolean>;
}

/** Makes a process of what a service consists of. */
export function deployable<Section extends ConfigSection>(
  parts: ServiceParts<Section>,
): Deployable {
  return {
    run: (env) => runService(parts, env),
    rebuild: (env) => rebuildService(parts, env),
  };
}
