/** Names of the methods that the gate speaks, in either direction. */
export const methods = {
  initialize: 'initialize',
  ping: 'ping',
  toolsList: 'tools/list',
  toolsCall: 'tools/call',
  initialized: 'notifications/initialized',
  cancelled: 'notifications/cancelled',
  progress: 'notifications/progress',
  toolsListChanged: 'notifications/tools/list_changed',
} as const;

/** A method that the gate knows. */
export type Method = (typeof methods)[keyof typeof methods];

/** The requests that a client may send; every other one is answered with `method-unknown`. */
export const servedRequests: ReadonlySet<string> = new Set<Method>([
  methods.initialize,
  methods.ping,
  methods.toolsList,
  methods.toolsCall,
]);

/** The notifications that a client may send; every other one is taken and has no effect. */
export const servedNotifications: ReadonlySet<string> = new Set<Method>([
  methods.initialized,
  methods.cancelled,
  methods.progress,
]);
