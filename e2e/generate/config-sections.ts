import { processConfig, type ConfigSection } from '@gatehouse/platform';
import { migrateConfig, sections, topicsConfig } from '@gatehouse/standalone';

/** Every module's settings, in the order in which the reference shows them. */
export const configSections: readonly ConfigSection[] = [
  ...sections,
  processConfig,
  migrateConfig,
  topicsConfig,
];
