import { configSection, type ConfigOf } from '@gatehouse/platform';
import { z } from 'zod';

const isOrigin = (text: string) => URL.canParse(text) && new URL(text).origin === text;
const MIB = 1024 * 1024;
const count = (fallback: number) => z.number().int().positive().default(fallback);
const milliseconds = (fallback: number) => z.number().int().positive().default(fallback);

/** The settings of the gate. */
export const gatewayConfig = configSection(
  'gateway',
  'The gate: the MCP endpoints, their limits, and the servers behind them.',
  z.strictObject({
    bodyLimitBytes: count(4 * MIB).describe(
      'Largest request body that is read; a larger one is refused.',
    ),
    resultLimitBytes: count(16 * MIB).describe(
      'Largest answer that is taken from a server behind the gate.',
    ),
    callTimeoutMs: milliseconds(60_000).describe(
      'How long a server behind the gate may take to answer one call.',
    ),
    connectTimeoutMs: milliseconds(10_000).describe(
      'How long starting or reaching a server, with its MCP handshake, may take.',
    ),
    maxSessions: count(10_000).describe(
      'How many MCP sessions may be open at one time; further ones are refused.',
    ),
    maxSessionsPerPrincipal: count(1_000).describe('How many of these one user or agent may hold.'),
    sessionIdleMs: milliseconds(30 * 60_000).describe(
      'A session without request and without an open stream ends after this time.',
    ),
    stateMaxAgeMs: z
      .number()
      .int()
      .min(2_000)
      .max(600_000)
      .default(15_000)
      .describe(
        'Everything is refused while the gate has not heard for this long that it has all the state there is; owners say so about once a second. Clocks that disagree come on top.',
      ),
    stateResyncAfterMs: z
      .number()
      .int()
      .min(10_000)
      .max(86_400_000)
      .default(600_000)
      .describe(
        'After a silence of this length a gate reads all state anew before it serves again, as removals are remembered for a while only.',
      ),
    maxUpstreams: count(1_000).describe(
      'How many connections to servers behind the gate may be open at one time.',
    ),
    upstreamIdleMs: milliseconds(5 * 60_000).describe(
      'A connection to a server that carries no call is closed after this time.',
    ),
    allowedOrigins: z
      .array(z.string().refine(isOrigin, 'an origin is scheme, host and port, nothing after it'))
      .default([])
      .describe(
        'Web origins (`https://app.example.com`) whose pages may call the gate from a browser; every other origin is refused.',
      ),
    allowedHosts: z
      .array(z.string().min(1))
      .default(['localhost', '127.0.0.1', '[::1]'])
      .describe(
        'Host names, without port, that a request arriving on a loopback address may carry; against DNS rebinding.',
      ),
    spoolMinFreeBytes: count(128 * MIB).describe(
      'Calls are refused while the volume of the evidence spool has less than this left.',
    ),
    spoolBacklogBytes: count(1024 * MIB).describe(
      'Calls are refused while more evidence than this waits on disk for the bus.',
    ),
    stdioCommands: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Commands that stdio servers may be started with, each exactly as the server names it; any other is refused.',
      ),
  }),
);

/** The loaded settings of the gateway. */
export type GatewayConfig = ConfigOf<typeof gatewayConfig>;
