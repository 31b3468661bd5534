import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { configSection } from './config-section.ts';
import { ConfigError, loadConfig } from './load-config.ts';

const web = configSection(
  'web',
  'A test section.',
  z.strictObject({
    port: z.number().int().default(1).meta({ env: 'GATEHOUSE_PORT' }),
    bodyLimitBytes: z.number().default(10),
    commands: z.array(z.string()).default([]),
    strict: z.boolean().default(true),
    name: z.string().optional(),
  }),
);

const load = (env: Record<string, string>, yaml?: string) =>
  loadConfig([web], { env, file: yaml && fileWith(yaml) });

const folder = mkdtempSync(join(tmpdir(), 'gatehouse-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

function fileWith(yaml: string): string {
  const file = join(folder, 'gatehouse.yaml');
  writeFileSync(file, yaml);
  return file;
}

describe('loading the configuration', () => {
  it('answers defaults when nothing is said', () => {
    expect(load({}).web).toEqual({ port: 1, bodyLimitBytes: 10, commands: [], strict: true });
  });

  it('lets the environment win over the file, and reads numbers, booleans and lists from text', () => {
    const env = {
      GATEHOUSE_PORT: '99',
      GATEHOUSE_WEB_COMMANDS: 'node, npx',
      GATEHOUSE_WEB_STRICT: 'false',
      GATEHOUSE_WEB_BODY_LIMIT_BYTES: '5',
    };
    expect(load(env, 'web:\n  port: 3\n  name: x\n').web).toEqual({
      port: 99,
      bodyLimitBytes: 5,
      commands: ['node', 'npx'],
      strict: false,
      name: 'x',
    });
  });

  it('ignores variables that are not its own', () => {
    expect(load({ PATH: '/bin', HOME: '/' }).web.port).toBe(1);
  });

  it.each([
    [
      'an unknown variable',
      { GATEHOUSE_WEB_PROT: '1' },
      undefined,
      'unknown variable GATEHOUSE_WEB_PROT',
    ],
    [
      'a value of the wrong kind',
      { GATEHOUSE_PORT: 'eighty' },
      undefined,
      'web.port: expected a number, but GATEHOUSE_PORT is "eighty"',
    ],
    ['an empty number', { GATEHOUSE_PORT: ' ' }, undefined, 'web.port'],
    [
      'a boolean that is none',
      { GATEHOUSE_WEB_STRICT: 'yes' },
      undefined,
      'expected "true" or "false", but GATEHOUSE_WEB_STRICT is "yes"',
    ],
    ['a number that is not whole', { GATEHOUSE_PORT: '1.5' }, undefined, 'a whole number, but'],
    ['an unknown key in the file', {}, 'web:\n  prot: 3\n', 'prot'],
    ['an unknown section in the file', {}, 'wbe:\n  port: 3\n', 'unknown section wbe'],
    ['a section that is no mapping', {}, 'web: 7\n', 'expected a mapping'],
    ['a file that is no mapping', {}, '- web\n', 'expected a mapping'],
    ['a file that is no YAML', {}, 'web: [\n', 'gatehouse.yaml'],
    [
      'a file that is no YAML and ends in blank lines',
      {},
      'web: [\n\n\n',
      /gatehouse\.yaml: .+[^:\s]$/,
    ],
  ])('refuses %s and names it', (_what, env, yaml, complaint) => {
    const attempt = (): unknown => load(env, yaml);
    expect(attempt).toThrow(ConfigError);
    expect(attempt).toThrow(complaint);
  });

  it('passes over the sections that other processes read, and over no other', () => {
    const sharing = (yaml: string) =>
      loadConfig([web], { env: {}, file: fileWith(yaml), otherSections: ['mail'] });
    expect(sharing('web:\n  port: 3\nmail:\n  from: x\n').web.port).toBe(3);
    expect(() => sharing('mial:\n  from: x\n')).toThrow('unknown section mial');
  });

  it('names the variable that a required setting lacks, and the file that is not there', () => {
    const needy = configSection('needy', 'Needs an address.', z.strictObject({ url: z.url() }));
    const attempt = (): unknown =>
      loadConfig([needy], { env: {}, file: join(folder, 'none.yaml') });
    expect(attempt).toThrow('needy.url: it is required: set GATEHOUSE_NEEDY_URL');
    expect(attempt).toThrow('none.yaml: there is no such file');
  });

  it('says every complaint at once', () => {
    expect(() => load({ GATEHOUSE_PORT: 'x', GATEHOUSE_WEB_STRICT: 'x' })).toThrow(
      /web\.port[\s\S]*web\.strict/,
    );
  });
});
