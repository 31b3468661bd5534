import type { ServiceName } from '@gatehouse/event-catalog';
import type { EventBus } from '@gatehouse/event-sourcing';
import type { ServiceDatabase } from './database/service-database.ts';
import type { Logger } from './log/logger.ts';
import type { Readiness } from './host/readiness.ts';

/** Where time comes from; tests set it by hand. */
export interface Clock {
  now(): Date;
}

/** The clock of the machine. */
export const systemClock: Clock = { now: () => new Date() };

/** What a service stands on. Standalone and cluster build it differently; services cannot tell. */
export interface Platform {
  readonly bus: EventBus;
  /** The service's own schema, by its own role; nobody may ask for another's. */
  database(service: ServiceName): ServiceDatabase;
  readonly clock: Clock;
  readonly log: Logger;
  readonly readiness: Readiness;
  /** The secret that services show each other on `/internal/…`. */
  readonly serviceToken: string;
  /** The base URL at which a service's internal API is reached. */
  serviceUrl(service: ServiceName): string;
  /** A folder of this process for what must survive it but belongs in no database: spool, key files. */
  readonly dataDirectory: string;
}
