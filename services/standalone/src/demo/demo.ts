import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pc from 'picocolors';
import { readTrail, trailTable } from '../audit-trail.ts';
import { connectLines } from '../command-line/start.ts';
import { expectations, type Expect } from './expectations.ts';
import { connectCaller, type McpCaller } from './mcp-caller.ts';
import { setStage, type Stage } from './stage.ts';

interface Story {
  readonly stage: Stage;
  readonly tell: (line: string) => void;
  readonly expect: Expect;
  /** The method of every message that was sent to the gate, in order. */
  readonly sent: string[];
}

interface Agents {
  readonly reader: { readonly keyId: string; readonly token: string };
  readonly editor: { readonly keyId: string; readonly token: string };
}

const WITHIN_MS = 5_000;

/** `gatehouse demo`: the main job on real servers, told as a story; throws at the first expectation that does not hold. */
export async function demo({ keep }: { keep: boolean }): Promise<void> {
  const tell = (line: string): void => void process.stdout.write(`${line}\n`);
  const chapter = (title: string): void => tell(`\n  ${pc.bold(title)}`);
  const began = performance.now();
  await using stage = await setStage();
  const story: Story = { stage, tell, expect: expectations(tell), sent: [] };

  chapter(`A gate stands at ${stage.gatehouse.url}`);
  tell(
    pc.dim(
      '    on a throw-away data directory, with a PostgreSQL of its own; nobody may do anything yet',
    ),
  );
  chapter('An administrator lets two public MCP servers in');
  await admitServers(story);
  chapter('Two roles, an agent for each');
  const agents = await createAgents(story);
  chapter('The reader');
  const reader = await playReader(story, agents);
  chapter('The editor');
  const editor = await playEditor(story, agents);
  chapter('A key is revoked while its owner is connected');
  await playRevocation(story, agents, reader);
  chapter('A server is suspended while somebody uses it');
  await playSuspension(story, editor);
  chapter('What the audit trail says');
  await showTrail(story);
  tell(`\n  ${pc.green(pc.bold('Everything came true'))} ${pc.dim(`in ${seconds(began)} s`)}\n`);
  if (keep) await keepRunning(story, agents);
  await editor.close();
}

async function admitServers({ stage, expect, tell }: Story): Promise<void> {
  const { admin } = stage;
  const everything = await admin.submit(
    'everything',
    'Everything (Streamable HTTP)',
    stage.everything,
  );
  const files = await admin.submit('files', 'Files (stdio)', stage.files);
  for (const [slug, { tools }] of Object.entries({ everything, files })) {
    const reading = tools.filter((tool) => tool.class === 'READ').length;
    tell(
      `    ${slug.padEnd(11)} offers ${tools.length} tools; proposed: ${reading} read, ${tools.length - reading} write`,
    );
  }
  // Names and annotations only propose: a person decides, and what nobody vouches for counts as writing.
  const decided = await admin.classify('everything', 'echo', 'READ');
  const classOf = (name: string): string | undefined =>
    files.tools.find((tool) => tool.name === name)?.class;
  expect(
    'reading a file is proposed as read',
    classOf('read_text_file') === 'READ',
    classOf('read_text_file'),
  );
  expect(
    'writing a file is proposed as write',
    classOf('write_file') === 'WRITE',
    classOf('write_file'),
  );
  await admin.approve('everything', decided);
  await admin.approve('files', files.digest);
  expect('both are approved, pinned as they were reviewed', true);
}

async function createAgents({ stage, tell }: Story): Promise<Agents> {
  const { admin } = stage;
  await admin.defineRole('reader', 'Reads files, and may echo.', {
    files: [{ tool: '*', mode: 'READ' }],
    everything: [{ tool: 'echo', mode: 'READ' }],
  });
  await admin.defineRole('editor', 'Reads and writes files, and uses everything.', {
    files: [{ tool: '*', mode: 'WRITE' }],
    everything: [{ tool: '*', mode: 'WRITE' }],
  });
  const agents = {
    reader: await admin.createAgent('report-bot', 'reader'),
    editor: await admin.createAgent('release-bot', 'editor'),
  };
  tell('    report-bot  holds reader: files/* read, everything/echo read');
  tell('    release-bot holds editor: files/* write, everything/* write');
  return agents;
}

function connect(
  { stage, sent }: Story,
  path: string,
  token: string,
  name: string,
): Promise<McpCaller> {
  const url = `${stage.gatehouse.url}${path}`;
  return connectCaller(url, token, name, (method) => sent.push(method));
}

async function playReader(story: Story, { reader }: Agents): Promise<McpCaller> {
  const { stage, expect } = story;
  const caller = await connect(story, '/s/files/mcp', reader.token, 'demo-reader');
  const tools = await caller.listTools();
  expect(
    `sees ${tools.length} tools of files, and write_file is not among them`,
    !tools.includes('write_file'),
    tools,
  );
  const read = await caller.call('read_text_file', { path: join(stage.folder, 'quarter.txt') });
  expect('reads quarter.txt', read.text.includes('12 percent'), read);
  const hidden = await caller.call('write_file', {
    path: join(stage.folder, 'quarter.txt'),
    content: 'x',
  });
  const missing = await caller.call('no_such_tool', {});
  expect(
    'is told of write_file just what it is told of a tool that does not exist',
    hidden.failed &&
      hidden.text.replace('write_file', '…') === missing.text.replace('no_such_tool', '…'),
    { hidden, missing },
  );
  const everywhere = await connect(story, '/mcp', reader.token, 'demo-reader');
  const all = await everywhere.listTools();
  expect(
    'sees at /mcp one tool of everything beside those of files',
    all.includes('everything__echo'),
    all,
  );
  expect('and nothing more', all.length === tools.length + 1, all);
  await everywhere.close();
  return caller;
}

async function playEditor(story: Story, { editor }: Agents): Promise<McpCaller> {
  const { stage, expect } = story;
  const caller = await connect(story, '/mcp', editor.token, 'demo-editor');
  const path = join(stage.folder, 'release.txt');
  const written = await caller.call('files__write_file', { path, content: 'Shipped.\n' });
  expect(
    'writes release.txt',
    !written.failed && (await readFile(path, 'utf8')) === 'Shipped.\n',
    written,
  );
  const echoed = await caller.call('everything__echo', { message: 'hello' });
  expect(
    'calls a tool of the other server in the same session',
    echoed.text.includes('hello'),
    echoed,
  );
  const wrong = await caller.call('files__write_file', { path });
  expect('is refused arguments that break the schema of the tool', wrong.failed, wrong);
  return caller;
}

async function playRevocation(story: Story, { reader }: Agents, caller: McpCaller): Promise<void> {
  const { stage, expect } = story;
  await stage.admin.revokeKey(reader.keyId, 'shown on stage');
  const began = performance.now();
  const refused = await untilHolds(async () => {
    const call = await caller.call('read_text_file', { path: join(stage.folder, 'quarter.txt') });
    return call.failed;
  });
  expect(
    `its open session is refused ${(performance.now() - began).toFixed(0)} ms after the change was answered`,
    refused,
  );
  const anew = await connect(story, '/s/files/mcp', reader.token, 'demo-reader').then(
    () => 'connected',
    (error: Error) => error.message,
  );
  expect('and it cannot connect anew', anew !== 'connected', anew);
  await caller.close();
}

async function playSuspension({ stage, expect }: Story, caller: McpCaller): Promise<void> {
  const before = await caller.listTools();
  expect('the editor sees tools of everything', before.some(ofEverything), before);
  const heard = caller.announcements;
  await stage.admin.suspend('everything', 'shown on stage');
  const told = await untilHolds(async () => caller.announcements > heard);
  expect('its session is told that the tools have changed', told);
  const after = await caller.listTools();
  expect(
    'and sees none of everything any more',
    after.length > 0 && !after.some(ofEverything),
    after,
  );
  const call = await caller.call('everything__echo', { message: 'hello?' });
  expect('nor can it call one', call.failed, call);
}

async function showTrail({ stage, expect, tell, sent }: Story): Promise<void> {
  const token = (await readFile(stage.gatehouse.adminTokenFile, 'utf8')).trim();
  const read = (): ReturnType<typeof readTrail> => readTrail(stage.gatehouse.url, token, {}, 500);
  await untilHolds(async () => (await read()).length >= sent.length);
  const rows = await read();
  const calls = rows.filter((row) => row.method === 'tools/call' || row.decision === 'DENY');
  tell(trailTable(calls));
  tell(
    pc.dim(`    ${calls.length} of ${rows.length} records: tool calls, and all that was refused`),
  );
  const recorded = new Set(rows.map((row) => row.id)).size;
  expect(
    `every one of the ${sent.length} requests is on record, and once`,
    recorded === sent.length && rows.length === sent.length,
    { sent: sent.length, records: rows.length, recorded },
  );
  const hidden = rows.find(
    (row) => row.tool === 'write_file' && row.principal?.name === 'report-bot',
  );
  expect(
    'the trail knows why write_file was hidden, though the caller does not',
    hidden?.decision === 'DENY' && hidden.reason.text.includes('reader'),
    hidden,
  );
}

async function keepRunning({ stage, tell }: Story, { editor }: Agents): Promise<void> {
  tell(connectLines(stage.gatehouse));
  tell(`  ${pc.bold('The editor')}     ${editor.token}\n`);
  tell(pc.dim('  It runs until Ctrl-C, and leaves nothing behind.'));
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
}

async function untilHolds(condition: () => Promise<boolean>): Promise<boolean> {
  const deadline = Date.now() + WITHIN_MS;
  while (Date.now() < deadline) {
    if (await condition()) return true;
    await sleep(20);
  }
  return false;
}

function ofEverything(tool: string): boolean {
  return tool.startsWith('everything__');
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1000).toFixed(1);
}
