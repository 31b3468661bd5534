import { loadSettings } from '../settings.ts';
import { rebuildReadModels } from '../standalone.ts';

/** `gatehouse rebuild`: the logs are the truth, so read tables can be thrown away and folded again. */
export async function rebuild(): Promise<void> {
  const services = await rebuildReadModels(loadSettings(process.env));
  process.stdout.write(`Folded anew from the logs: the read tables of ${services.join(', ')}.\n`);
}
