import { fileURLToPath } from 'node:url';
import { platformMigrations } from '@gatehouse/platform';

/** What brings admin's schema to head. */
export const adminMigrations = {
  schema: 'admin',
  folders: [
    platformMigrations.projection,
    fileURLToPath(new URL('../migrations', import.meta.url)),
  ],
} as const;
