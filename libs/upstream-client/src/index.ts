export { connectUpstream } from './connect-upstream.ts';
export { SessionLost } from './failure.ts';
export { requireAllowedCommand } from './open-transport.ts';
export type {
  Upstream,
  UpstreamAnswer,
  UpstreamListeners,
  UpstreamRequestOptions,
  UpstreamSettings,
} from './upstream.ts';
