import { fileURLToPath } from 'node:url';

/** The SQL that brings audit's schema to head, folder by folder. */
export const auditMigrations = {
  schema: 'audit',
  folders: [fileURLToPath(new URL('../migrations', import.meta.url))],
} as const;
