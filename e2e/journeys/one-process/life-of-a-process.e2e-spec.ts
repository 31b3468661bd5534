import { stat, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { scrape } from '@gatehouse/platform/testing';
import { Administrator } from '@gatehouse/standalone';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installation, type Installation } from '../harness/gatehouse-process.ts';

const METRICS_TOKEN = 'a-token-of-prometheus';
let place: Installation;
beforeAll(async () => {
  place = await installation();
});
afterAll(() => place.dispose());

describe('the life of a standalone process', () => {
  it('is nobody before the first start: status says so with exit code 3', async () => {
    const { code, stderr } = await place.run('status');
    expect(code).toBe(3);
    expect(stderr).toContain('no Gatehouse runs on');
    expect((await place.run('audit', 'tail')).code).toBe(3);
  });

  it('comes up, keeps the admin token to itself, and is ready', async () => {
    const tokenFile = `${place.dataDirectory}-metrics-token`;
    await writeFile(tokenFile, METRICS_TOKEN);
    await place.start({ GATEHOUSE_METRICS_TOKEN_FILE: tokenFile });
    const { mode } = await stat(join(place.dataDirectory, 'admin-token'));
    expect(mode & 0o777).toBe(0o600);
    expect(await place.adminToken()).toMatch(/^gh_[A-Za-z0-9-]+_[A-Za-z0-9-]+$/);
    const { code, stdout } = await place.run('status');
    expect(stdout).toContain('Gatehouse is ready');
    expect(code).toBe(0);
    const json = JSON.parse((await place.run('status', '--json')).stdout) as unknown;
    expect(json).toMatchObject({ ready: true, pid: place.pid, url: place.url });
  });

  it('says in a few lines where everything is, and how to connect a client', () => {
    const { url, output } = place;
    const lines = output.split('\n').filter((line) => line.trim() !== '');
    expect(lines.length).toBeLessThanOrEqual(10);
    for (const line of [
      /^ {2}Gatehouse is ready after \d+\.\d s$/,
      new RegExp(`^ {2}MCP endpoint +${url}/mcp `),
      new RegExp(`^ {2}GraphQL +${url}/graphql$`),
      /^ {2}Admin token +data\/admin-token .*0600/,
      new RegExp(`claude mcp add --transport http gatehouse ${url}/mcp`),
      /--header "Authorization: Bearer \$\(cat data\/admin-token\)"/,
      new RegExp(`^ {2}Data in ${place.dataDirectory}`),
    ])
      expect(
        lines.some((text) => line.test(text)),
        `${line} in:\n${output}`,
      ).toBe(true);
  });

  it('listens on the loopback address alone', async () => {
    expect(new URL(place.url).hostname).toBe('127.0.0.1');
    const elsewhere = place.url.replace('127.0.0.1', '127.0.0.2');
    await expect(fetch(`${elsewhere}/health/live`)).rejects.toThrow('fetch failed');
    expect((await fetch(`${place.url}/health/live`)).status).toBe(200);
  });

  it('tells Prometheus of every service that it hosts, where it is asked with the token', async () => {
    expect((await fetch(`${place.url}/metrics`)).status).toBe(401);
    const scraped = await scrape(place.url, METRICS_TOKEN);
    const hosted = ['admin', 'audit', 'gateway', 'identity', 'policy', 'registry'];
    for (const service of hosted)
      expect(scraped.value('gatehouse_build_info', { service })).toBe(1);
    const owners = ['identity', 'policy', 'registry'];
    for (const service of owners)
      expect(scraped.value('gatehouse_outbox_relay_active', { service })).toBeDefined();
    expect(scraped.value('gatehouse_bus_connected', { service: 'standalone' })).toBe(1);
    expect(scraped.value('gatehouse_gateway_deciding', { service: 'gateway' })).toBe(1);
  });

  it('that runs but does not answer is not ready: status says so with exit code 4', async () => {
    process.kill(place.pid, 'SIGSTOP');
    const { code, stdout } = await place.run('status').finally(() => {
      process.kill(place.pid, 'SIGCONT');
    });
    expect(stdout).toContain('waiting for an answer at');
    expect(code).toBe(4);
  });

  it('does not start on a port that somebody else has, and says what to do', async () => {
    const other = await installation({ GATEHOUSE_PORT: new URL(place.url).port });
    const { code, stderr } = await other.run('start');
    expect(stderr).toMatch(/^gatehouse: port \d+ is in use by another program: .*GATEHOUSE_PORT/m);
    expect(code).toBe(1);
    await other.dispose();
  });

  it('lets no second process have its data directory', async () => {
    const second = await place.run('start');
    expect(second.code).toBe(1);
    expect(second.stderr).toContain(`another Gatehouse (process ${place.pid})`);
  });

  it('ends cleanly on Ctrl-C: exit code 0, database stopped, directory free', async () => {
    expect(await place.stop('SIGINT')).toBe(0);
    await expect(stat(join(place.dataDirectory, 'postgres/data/postmaster.pid'))).rejects.toThrow(
      /ENOENT/,
    );
    expect((await place.run('status')).code).toBe(3);
  });

  it('comes back as it was, and SIGTERM ends it as well', async () => {
    const token = await place.adminToken();
    await place.start();
    expect(await place.adminToken()).toBe(token);
    await new Administrator(place.url, token).createAgent('kept', 'viewer');
    expect(await place.stop('SIGTERM')).toBe(0);
  });

  it('loses nothing by kill -9, though its database is left running', async () => {
    await place.start();
    const admin = new Administrator(place.url, await place.adminToken());
    await admin.createAgent('before-the-crash', 'viewer');
    await place.kill();
    await place.start();
    const again = new Administrator(place.url, await place.adminToken());
    await expect(again.createAgent('before-the-crash', 'viewer')).rejects.toMatchObject({
      code: 'agent-name-taken',
    });
    await expect(again.createAgent('kept', 'viewer')).rejects.toMatchObject({
      code: 'agent-name-taken',
    });
  });

  it('mints no second admin key because somebody removed the token file', async () => {
    await place.stop();
    await unlink(join(place.dataDirectory, 'admin-token'));
    await place.start();
    await expect(place.adminToken()).rejects.toThrow(/ENOENT/);
    await place.stop();
  });

  it('lets whoever owns the data directory back in as administrator', async () => {
    const { code, stdout } = await place.run('recover-admin');
    expect(stdout).toContain('admin-token');
    expect(code).toBe(0);
    await place.start();
    await new Administrator(place.url, await place.adminToken()).createAgent('recovered', 'viewer');
    const { code: refused } = await place.run('recover-admin');
    expect(refused).toBe(1);
    await place.stop();
  });

  it('folds its read tables anew from the logs', async () => {
    const { code, stdout } = await place.run('rebuild');
    expect(stdout).toMatch(/read tables of .*identity.*admin/);
    expect(code).toBe(0);
  });

  it.each([
    ['an unknown command', ['fly'], /unknown command/],
    ['an unknown option', ['start', '--fast'], /unknown option/],
    ['a number that is none', ['audit', 'tail', '-n', 'many'], /--lines takes a whole number/],
  ])('answers %s with exit code 2 and a sentence', async (_what, args, sentence) => {
    const { code, stderr } = await place.run(...args);
    expect(stderr).toMatch(sentence);
    expect(code).toBe(2);
  });

  it('refuses a misspelt setting instead of ignoring it', async () => {
    const typo = await installation({ GATEHOUSE_PROT: '1' });
    const { code, stderr } = await typo.run('start');
    expect(stderr).toContain('unknown variable GATEHOUSE_PROT');
    expect(code).toBe(2);
    await typo.dispose();
  });

  it('explains itself', async () => {
    const { code, stdout } = await place.run('--help');
    expect(code).toBe(0);
    for (const command of ['start', 'demo', 'status', 'audit', 'rebuild', 'recover-admin'])
      expect(stdout).toMatch(new RegExp(`^ {2}${command} .*[a-z]`, 'm'));
    for (const meaning of [
      '0  done',
      '1  something failed',
      '2  wrong usage',
      '3  no Gatehouse',
      '4  running',
    ])
      expect(stdout).toContain(meaning);
  });
});
