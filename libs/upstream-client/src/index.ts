export { connectUpstream } from './connect-upstream.ts';
export { requireAllowedCommand } from './open-transport.ts';
export type {
  Upstream,
  UpstreamAnswer,
  UpstreamListeners,
  UpstreamRequestOptions,
  UpstreamSettings,
} from './upstream.ts';
