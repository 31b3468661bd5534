import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { describe, expect, it } from 'vitest';
import {
  everythingStdio,
  filesystemStdio,
  startEverythingOverHttp,
  type StdioCommand,
} from './upstreams.ts';

async function toolNames(transport: Parameters<Client['connect']>[0]): Promise<string[]> {
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  const { tools } = await client.listTools();
  await client.close();
  return tools.map((tool) => tool.name);
}

const overStdio = ({ command, args }: StdioCommand) =>
  new StdioClientTransport({ command, args: [...args], stderr: 'ignore' });

describe('the upstream servers of npm', () => {
  it('serve a real client over HTTP, and are gone after the stop', async () => {
    const upstream = await startEverythingOverHttp();
    try {
      expect(await toolNames(new StreamableHTTPClientTransport(new URL(upstream.url)))).toContain(
        'echo',
      );
    } finally {
      await upstream.stop();
    }
    await expect(fetch(upstream.url)).rejects.toThrow('fetch failed');
  }, 30_000);

  it('serve a real client over stdio', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'gatehouse-files-'));
    try {
      await writeFile(join(folder, 'a.txt'), 'hello');
      expect(await toolNames(overStdio(filesystemStdio(folder)))).toContain('read_text_file');
      expect(await toolNames(overStdio(everythingStdio()))).toContain('echo');
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }, 30_000);
});
