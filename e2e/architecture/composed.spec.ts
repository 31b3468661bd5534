import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { readComposeFile, type ComposeService } from '../journeys/harness/compose-file.ts';
import { textOf } from './repo.ts';

const files = ['docker-compose.yml', 'docker-compose.standalone.yml'];
// The validator of the Compose Specification itself, on PATH or at COMPOSE_SPEC: `.ci/run` brings it, and there nothing may skip itself.
const validator = process.env['COMPOSE_SPEC'] ?? 'compose-spec';
const hasValidator = spawnSync(validator, ['-help']).error === undefined;

function validate(file: string): { status: number | null; stderr: string } {
  return spawnSync(validator, [file], { encoding: 'utf8' });
}

describe.skipIf(!hasValidator)('by the Compose Specification', () => {
  test.each(files)('%s is valid', (file) => {
    const { status, stderr } = validate(file);
    expect(status, stderr).toBe(0);
  });

  test.each([
    ['a typo', 'read_only: true', 'read_onyl: true'],
    ['a condition that nobody knows', 'service_healthy', 'service_haelthy'],
  ])('%s is not', (_, right, wrong) => {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-compose-'));
    try {
      const file = join(folder, 'docker-compose.yml');
      writeFileSync(file, textOf('docker-compose.yml').replace(right, wrong));
      expect(validate(file).status).toBe(1);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

// What the schema does not look at.
describe.each(files)('%s names only what it has', (file) => {
  const { services, networks = {}, volumes = {}, secrets = {} } = readComposeFile(file);

  test.each(Object.entries(services))('%s', (_, service) => {
    const has = { networks, volumes, secrets, depends_on: services };
    for (const [kind, names] of Object.entries(namedBy(service)))
      for (const name of names) expect(Object.keys(has[kind as keyof typeof has])).toContain(name);
  });
});

function namedBy(service: ComposeService): Record<string, readonly string[]> {
  return {
    networks: service.networks ?? [],
    volumes: (service.volumes ?? [])
      .map((volume) => volume.split(':')[0] ?? '')
      .filter((source) => /^[a-z]/.test(source)),
    secrets: (service.secrets ?? []).map((secret) =>
      typeof secret === 'string' ? secret : secret.source,
    ),
    depends_on: Object.keys(service.depends_on ?? {}),
  };
}
