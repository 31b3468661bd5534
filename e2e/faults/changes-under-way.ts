import type { Owner } from './history.ts';
import { ROLES, type Stage } from './stage.ts';

const AT_ONCE = 10;

/** Many changes at once at one owner, so that some are under way at any moment from now on; resolves when all have ended. */
export async function changesUnderWay({ admin, random }: Stage, owner: Owner): Promise<void> {
  const change = (name: string): Promise<unknown> => {
    switch (owner) {
      case 'identity':
        return admin.create('AGENT', name, 'reader');
      case 'policy':
        return admin.defineRole(name, ROLES.reader);
      case 'registry':
        return admin.submit(name);
    }
  };
  const names = Array.from({ length: AT_ONCE }, () => `at-once-${random.below(1_000_000_000)}`);
  await Promise.all(names.map(change));
}
