import { SERVICES } from '@gatehouse/event-catalog';

/** What the one file of settings of a cluster may hold: each process and each command reads its own sections, and passes over those of the others. */
export const clusterSections: readonly string[] = [
  'process',
  'metrics',
  'tracing',
  'migrate',
  'topics',
  ...SERVICES,
];
