import { eventually } from '@gatehouse/testing';
import type { MadePrincipal } from './administrator.ts';
import type { Caller } from './caller.ts';
import type { Call } from './history.ts';
import { STEADY, type Stage } from './stage.ts';

const PATIENCE = { timeoutMs: 25_000, everyMs: 100 };

/** How a call ended, in a word. */
export function wordOf({ outcome }: Pick<Call, 'outcome'>): string {
  return outcome.kind === 'refused' ? outcome.code : outcome.kind;
}

/** How the calls to tools ended that the steady agents, whose rights nobody changes, began at a gate since then. */
export function steadyWords(
  stage: Stage,
  node: string,
  since: number,
  calls: readonly Call[] = stage.history.calls,
): string[] {
  const names = new Set(stage.steady.map(({ name }) => name));
  return calls
    .filter((call) => call.node === node && call.invokedAt >= since && call.completedAt !== null)
    .filter(({ server, effect, caller }) => {
      const mayAlways = caller === 'steady-writer' || effect === 'read';
      return server === STEADY && names.has(caller) && mayAlways;
    })
    .map(wordOf);
}

/** Resolves once every gate named has let a steady agent through, and a change has gone well, both begun after this was asked. */
export async function untilWell(
  stage: Stage,
  nodes: readonly string[] = stage.gates.map(({ node }) => node),
): Promise<void> {
  const since = Date.now();
  await eventually(() => {
    const ill = nodes.filter((node) => !steadyWords(stage, node, since).includes('ok'));
    if (ill.length > 0) throw new Error(`no call goes well on ${ill.join(', ')}`);
    const isChanged = stage.history.entries.some(
      (entry) => entry.kind === 'admin' && entry.invokedAt >= since && entry.outcome.kind === 'ok',
    );
    if (!isChanged) throw new Error('no change goes well');
  }, PATIENCE);
}

/** An agent that every gate named lets in, with the callers that it holds open there: whose rights will be taken. */
export interface Victim extends MadePrincipal {
  readonly at: Readonly<Record<string, Caller>>;
}

export async function makeVictim(
  stage: Stage,
  name: string,
  nodes: readonly string[] = stage.gates.map(({ node }) => node),
): Promise<Victim> {
  const agent = await eventually(async () => {
    const made = await stage.admin.create('AGENT', `${name}-${stage.random.next()}`, 'writer');
    if (made === undefined) throw new Error(`${name} could not be made`);
    return made;
  }, PATIENCE);
  const at: Record<string, Caller> = {};
  for (const gate of stage.gates.filter(({ node }) => nodes.includes(node))) {
    const caller = stage.caller(agent, gate);
    at[gate.node] = caller;
    await eventually(async () => {
      const call = await caller.call(STEADY, 'look', 'read');
      if (call.outcome.kind !== 'ok') throw new Error(`${name}: ${wordOf(call)} at ${gate.node}`);
    }, PATIENCE);
  }
  return { ...agent, at };
}

/** Lets the victim ask until it is told that its key is nothing any more; answers how all its calls ended. */
export async function askUntilRefused(victim: Victim, node: string): Promise<string[]> {
  const words: string[] = [];
  await eventually(async () => {
    const word = wordOf(await victim.at[node]!.call(STEADY, 'look', 'read'));
    words.push(word);
    if (word !== 'token-refused') throw new Error(`${victim.name} is told ${word} at ${node}`);
  }, PATIENCE);
  return words;
}
