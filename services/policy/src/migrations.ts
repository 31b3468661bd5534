import { fileURLToPath } from 'node:url';
import { platformMigrations } from '@gatehouse/platform';

/** The SQL that brings policy's schema to head, folder by folder. */
export const policyMigrations = {
  schema: 'policy',
  folders: [
    platformMigrations.eventStore,
    fileURLToPath(new URL('../migrations', import.meta.url)),
  ],
} as const;
