import { upcastWith, type Upcaster } from './upcast.ts';

/** One for each event version that has a successor; an architecture test refuses a version without. */
export const upcasters: readonly Upcaster[] = [];

/** Brings an event's type and data, as stored at any time, to the newest version. */
export const upcast = upcastWith(upcasters);
