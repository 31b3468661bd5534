import { resolve } from 'node:path';
import { z } from 'zod';
import { findRunning } from '../process/process-file.ts';
import { loadSettings } from '../settings.ts';
import { exitCodes, Failure } from './exit-codes.ts';

const healthSchema = z.object({ status: z.string(), waitingFor: z.array(z.string()).default([]) });

/** `gatehouse status`: exit code 0 when ready, 4 when not yet, 3 when nothing runs on the data directory. */
export async function status(options: { json?: true }): Promise<void> {
  const { standalone } = loadSettings(process.env);
  const dataDirectory = resolve(standalone.data);
  const running = await findRunning(dataDirectory);
  if (running === undefined) {
    if (options.json === true)
      process.stdout.write(
        `${JSON.stringify({ ready: false, pid: null, url: null, waitingFor: [] })}\n`,
      );
    throw new Failure(`no Gatehouse runs on ${dataDirectory}`, exitCodes.notRunning);
  }
  const health = running.url === null ? starting : await askHealth(running.url);
  const ready = health.status === 'ready';
  process.stdout.write(
    options.json === true
      ? `${JSON.stringify({ ready, ...running, waitingFor: health.waitingFor })}\n`
      : describe(running, health.waitingFor),
  );
  process.exitCode = ready ? exitCodes.done : exitCodes.notReady;
}

const starting = { status: 'waiting', waitingFor: ['its port'] };

async function askHealth(url: string): Promise<z.infer<typeof healthSchema>> {
  try {
    const response = await fetch(`${url}/health/ready`, { signal: AbortSignal.timeout(5_000) });
    return healthSchema.parse(await response.json());
  } catch (error) {
    return { status: 'waiting', waitingFor: [`an answer at ${url} (${(error as Error).message})`] };
  }
}

function describe(
  running: { pid: number; url: string | null },
  waitingFor: readonly string[],
): string {
  const state = waitingFor.length === 0 ? 'ready' : `waiting for ${waitingFor.join(', ')}`;
  return `Gatehouse is ${state}\n  process   ${running.pid}\n  endpoint  ${running.url ?? '-'}${running.url === null ? '' : '/mcp'}\n`;
}
