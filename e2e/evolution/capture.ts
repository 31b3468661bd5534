// `npm run capture <release>`, once for each release: lives through a journey on the build at hand and keeps
// what it left behind, for the tests that start it under the code of later days.
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { catalog } from '@gatehouse/event-catalog';
import { eventually } from '@gatehouse/testing';
import { startChangeableServer } from '../journeys/harness/changeable-server.ts';
import { prepareCluster } from '../journeys/harness/cluster.ts';
import { liveThrough, OFFERED } from './journey.ts';
import { readModels, readTrail } from './read-models.ts';
import { folderOf, migrationFiles } from './releases.ts';
import { storeRows } from './stored-rows.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SCHEMAS = ['bus', 'identity', 'policy', 'registry', 'audit', 'admin'];

const [name = ''] = process.argv.slice(2);
if (!/^\d{4}-\d{2}-\d{2}$/.test(name) || existsSync(folderOf(name))) {
  console.error('name the release by its day, YYYY-MM-DD; one that was captured stays as it is');
  process.exit(2);
}

const folder = folderOf(name);
const keep = (file: string, text: string): Promise<void> => writeFile(join(folder, file), text);
const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const upstream = await startChangeableServer(OFFERED);
const cluster = await prepareCluster();
try {
  await cluster.migrate();
  const services = cluster.services.filter((service) => !/^gateway-[2-9]/.test(service));
  for (const service of services) await cluster.start(service);
  for (const service of services) await cluster.ready(service);
  const apiUrl = cluster.urlOf('admin');
  const token = await cluster.adminToken();
  const tokens = await liveThrough({ apiUrl, gateUrl: cluster.urlOf('gateway'), token }, upstream);
  const trail = await eventually(async () => {
    const records = await readTrail(apiUrl, tokens.administrator);
    const ended = records.some((record) => JSON.stringify(record).includes('"token-refused"'));
    if (!ended) throw new Error(`the trail is not complete yet: ${JSON.stringify(records)}`);
    return records;
  });
  const shown = await readModels(apiUrl, tokens.administrator);
  // In order, so that what one of them says last is heard by the others.
  for (const service of services.toReversed()) await cluster.stop(service);
  await storeRows(cluster.databaseUrl, SCHEMAS, join(folder, 'rows'));
  await mkdir(folder, { recursive: true });
  await keep('migrations.sha256', await checksums());
  await keep('event-types.txt', catalog.map(({ type }) => `${type}\n`).join(''));
  await keep('tokens.json', json(tokens));
  await keep('read-models.json', json(shown));
  await keep('trail.json', json(trail));
} finally {
  await cluster.dispose();
  await upstream.stop();
}

async function checksums(): Promise<string> {
  const lines = migrationFiles().map(async (path) => {
    const text = await readFile(join(ROOT, path));
    return `${createHash('sha256').update(text).digest('hex')}  ${path}\n`;
  });
  return (await Promise.all(lines)).join('');
}
