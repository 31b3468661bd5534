import type { Clock, ServiceDatabase } from '@gatehouse/platform';

/** What queries read: the tables that projections keep, and the time by which a key's end is judged. */
export interface ReadModel {
  readonly database: ServiceDatabase;
  readonly clock: Clock;
  readonly maxPageSize: number;
}

export const READ_MODEL = Symbol('the read model of admin');
