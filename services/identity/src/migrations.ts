import { fileURLToPath } from 'node:url';
import { platformMigrations } from '@gatehouse/platform';

/** The SQL that brings identity's schema to head, folder by folder. */
export const identityMigrations = {
  schema: 'identity',
  folders: [
    platformMigrations.eventStore,
    platformMigrations.projection,
    fileURLToPath(new URL('../migrations', import.meta.url)),
  ],
} as const;
