import { topics } from '@gatehouse/event-catalog';
import type { StateTopic } from '@gatehouse/platform';

/** The topics that the gate decides by, and whose word they are. */
export const stateTopics: readonly StateTopic[] = [
  { topic: topics.principalsState, owner: 'identity' },
  { topic: topics.policyState, owner: 'policy' },
  { topic: topics.catalogueState, owner: 'registry' },
];
