import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/**
 * A test reads the `src` of a sibling package, so unit and integration tests need no build. Not by the `source`
 * condition, as tsc does: Vitest hands conditions on to Node, and some npm packages name their unbuilt sources so.
 */
const siblingSources = {
  name: 'sibling-sources',
  enforce: 'pre' as const,
  resolveId(id: string): string | undefined {
    const [, name, door = ''] = /^@gatehouse\/([\w-]+)((?:\/[\w-]+)?)$/.exec(id) ?? [];
    if (name === undefined) return undefined;
    return ['libs', 'services']
      .map((kind) => fileURLToPath(new URL(`${kind}/${name}/src${door}/index.ts`, import.meta.url)))
      .find((path) => existsSync(path));
  },
};

// Vite would pick graphql's second copy, its ESM one, where Node and so Nest and Mercurius take the CommonJS one; and
// graphql refuses types of another copy.
const graphql = fileURLToPath(new URL('node_modules/graphql/index.js', import.meta.url));

// Journeys that are about one form of Gatehouse; all others run unchanged against both.
const ofOneProcess = ['e2e/journeys/one-process/**'];
const ofACluster = ['e2e/journeys/cluster/**', 'e2e/journeys/separate-processes.e2e-spec.ts'];

// What takes root: its faults need a small disk to be mounted.
const ofADisk = ['e2e/faults/full-disk.fault-spec.ts'];
const faults = {
  // Each test has a handful of phases that FAULT_SECONDS lengthens.
  testTimeout: 300_000 + 10_000 * Number(process.env['FAULT_SECONDS'] ?? 0),
  hookTimeout: 240_000,
  fileParallelism: false,
};

// One file for the whole repo; projects are kinds of test, not packages.
export default defineConfig({
  plugins: [siblingSources],
  resolve: { alias: [{ find: /^graphql$/, replacement: graphql }] },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: [
            '{libs,services}/*/src/**/*.spec.ts',
            'e2e/{faults,journeys/harness/chart}/*.spec.ts',
          ],
        },
      },
      {
        extends: true,
        test: {
          name: 'integration',
          include: ['{libs,services}/*/src/**/*.int-spec.ts'],
          globalSetup: ['libs/testing/src/postgres.global-setup.ts'],
          sequence: { groupOrder: 1 },
          testTimeout: 30_000,
          hookTimeout: 60_000,
          maxWorkers: 2,
        },
      },
      {
        extends: true,
        test: {
          name: 'kafka',
          include: ['{libs,services}/*/src/**/*.kafka-spec.ts'],
          globalSetup: ['libs/testing/src/kafka.global-setup.ts'],
          sequence: { groupOrder: 4 },
          testTimeout: 60_000,
          hookTimeout: 90_000,
          fileParallelism: false,
        },
      },
      {
        // The oldest Kafka that is still looked after, for what speaks to Kafka itself.
        extends: true,
        test: {
          name: 'kafka-3.9',
          include: [
            'libs/platform/src/bus/kafka/{kafka-{adapter,event-bus,offsets,operations},outgoing-chain}.kafka-spec.ts',
          ],
          env: { GATEHOUSE_KAFKA_VERSION: '3.9.2' },
          globalSetup: ['libs/testing/src/kafka.global-setup.ts'],
          sequence: { groupOrder: 6 },
          testTimeout: 60_000,
          hookTimeout: 90_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'architecture',
          include: ['e2e/architecture/*.spec.ts'],
          sequence: { groupOrder: 2 },
          testTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['e2e/journeys/**/*.e2e-spec.ts'],
          exclude: ofACluster,
          sequence: { groupOrder: 3 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'e2e-cluster',
          include: ['e2e/journeys/**/*.e2e-spec.ts'],
          exclude: ofOneProcess,
          env: { E2E_FORM: 'cluster', E2E_BUS: process.env['E2E_BUS'] ?? 'kafka' },
          sequence: { groupOrder: 5 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: 'fault',
          include: ['e2e/faults/**/*.fault-spec.ts'],
          exclude: ofADisk,
          sequence: { groupOrder: 9 },
          ...faults,
        },
      },
      {
        extends: true,
        test: {
          name: 'fault-disk',
          include: ofADisk,
          sequence: { groupOrder: 10 },
          ...faults,
        },
      },
    ],
  },
});
