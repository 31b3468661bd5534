import { expect, it } from 'vitest';
import { gatewayConfig } from './gateway.config.ts';

it('has these defaults: closed to browsers and to commands, 4 MiB in, 16 MiB back, a minute a call', () => {
  expect(gatewayConfig.schema.parse({})).toEqual({
    bodyLimitBytes: 4_194_304,
    resultLimitBytes: 16_777_216,
    callTimeoutMs: 60_000,
    connectTimeoutMs: 10_000,
    maxSessions: 10_000,
    maxSessionsPerPrincipal: 1_000,
    sessionIdleMs: 1_800_000,
    maxUpstreams: 1_000,
    upstreamIdleMs: 300_000,
    allowedOrigins: [],
    allowedHosts: ['localhost', '127.0.0.1', '[::1]'],
    stateMaxAgeMs: 15_000,
    stateResyncAfterMs: 600_000,
    stdioCommands: [],
    spoolMinFreeBytes: 134_217_728,
    spoolBacklogBytes: 1_073_741_824,
  });
});

it('takes origins only as browsers write them', () => {
  const takes = (origin: string) =>
    gatewayConfig.schema.safeParse({ allowedOrigins: [origin] }).success;
  expect([takes('https://app.example'), takes('http://localhost:3000')]).toEqual([true, true]);
  expect([takes('https://app.example/'), takes('app.example'), takes('*')]).toEqual([
    false,
    false,
    false,
  ]);
});

it('says of every key what it is for', () => {
  for (const [key, schema] of Object.entries(gatewayConfig.schema.shape)) {
    expect([key, schema.description]).toEqual([key, expect.stringMatching(/\w.*\.$/)]);
  }
});
