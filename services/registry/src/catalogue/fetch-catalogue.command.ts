import {
  fold,
  handleCommand,
  type DecisionContext,
  type EventStore,
} from '@gatehouse/event-sourcing';
import { receipt } from '@gatehouse/platform';
import { Refusal, type ProblemCode } from '@gatehouse/problem-catalog';
import { requireAllowedCommand } from '@gatehouse/upstream-client';
import {
  requireSubmitted,
  serverDecider,
  serverStream,
  type ServerEvent,
} from '../intake/server.decider.ts';
import type { RegistryConfig } from '../registry.config.ts';
import type { Handler } from '../registry-handler.ts';
import { measuredFetch } from './fetch-metrics.ts';
import { readCatalogue } from './read-catalogue.ts';

const UPSTREAM_FAILURES: ReadonlySet<ProblemCode> = new Set([
  'upstream-unavailable',
  'upstream-timeout',
  'upstream-garbled',
]);
const LONGEST_REASON = 1_000;

/** Asks a server for its tools, with no transaction open meanwhile, and records what it answered, or why it could not be asked. */
export const fetchCatalogue =
  (store: EventStore, config: RegistryConfig): Handler<'fetch-catalogue'> =>
  async ({ slug }, context) => {
    const stream = serverStream(slug);
    const history = (await store.readStream(stream)) as Iterable<unknown> as Iterable<ServerEvent>;
    const { transport, round } = requireSubmitted(fold(serverDecider, history));
    requireAllowedCommand(transport, config.stdioCommands);
    try {
      const catalogue = await measuredFetch(() => readCatalogue(slug, transport, config));
      const command = { type: 'record-catalogue', slug, round, ...catalogue } as const;
      const outcome = await handleCommand(store, serverDecider, stream, command, context);
      return receipt(outcome, { tools: catalogue.tools.length });
    } catch (error) {
      if (!(error instanceof Refusal) || !UPSTREAM_FAILURES.has(error.code)) throw error;
      const reason = legible(error.internal ?? error.message);
      await recordFailure(store, { slug, round, reason }, context);
      throw new Refusal(error.code, { detail: `The server ${slug}: ${reason}`, cause: error });
    }
  };

async function recordFailure(
  store: EventStore,
  failure: { slug: string; round: number; reason: string },
  context: DecisionContext,
): Promise<void> {
  const command = { type: 'record-fetch-failure', ...failure } as const;
  try {
    await handleCommand(store, serverDecider, serverStream(failure.slug), command, context);
  } catch (error) {
    // Rejected or submitted anew meanwhile: the failure is of a server that is no longer there.
    if (!(error instanceof Refusal) || error.code !== 'server-state-wrong') throw error;
  }
}

/** What a server said may hold anything; a reason is text that can be stored and shown. */
function legible(reason: string): string {
  const shown = reason.replaceAll(/[\p{Cc}\p{Cf}\p{Surrogate}]+/gu, ' ').trim();
  return Array.from(shown).slice(0, LONGEST_REASON).join('');
}
