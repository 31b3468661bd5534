import { fileURLToPath } from 'node:url';

const folder = (name: string): string =>
  fileURLToPath(new URL(`../../migrations/${name}`, import.meta.url));

/** The folders of SQL that the platform brings: what a schema needs to keep an event log, or to fold read models, and the schema `bus`. */
export const platformMigrations = {
  eventStore: folder('event-store'),
  projection: folder('projection'),
  bus: folder('bus'),
} as const;
