import type { ConfigSection } from '@gatehouse/platform';

/** Every module's settings, in the order in which the reference shows them. */
export const configSections: readonly ConfigSection[] = [];
