import type { RoleDefinition } from '@gatehouse/event-catalog';
import { compile, decide } from '@gatehouse/policy-engine';
import { eventually } from '@gatehouse/testing';
import type { MadePrincipal } from './administrator.ts';
import type { Sight } from './evidence.ts';
import type { Stage } from './stage.ts';

const PATIENCE_MS = 20_000;

const POLICY = `query {
  agents(first: 100) { nodes { id active roles keys { id status } } }
  users(first: 100) { nodes { id active roles keys { id status } } }
  roles(first: 100) { nodes { name connectors { slug tools { tool mode } } } }
  servers(first: 100) { nodes { slug status tools { name class } } }
}`;

interface Nodes<T> {
  readonly nodes: readonly T[];
}

interface Principal {
  readonly id: string;
  readonly active: boolean;
  readonly roles: readonly string[];
  readonly keys: readonly { readonly id: string; readonly status: string }[];
}

interface PolicyAnswer {
  readonly agents: Nodes<Principal>;
  readonly users: Nodes<Principal>;
  readonly roles: Nodes<{
    readonly name: string;
    readonly connectors: readonly {
      readonly slug: string;
      readonly tools: readonly { readonly tool: string; readonly mode: string }[];
    }[];
  }>;
  readonly servers: Nodes<{
    readonly slug: string;
    readonly status: string;
    readonly tools: readonly { readonly name: string; readonly class: string }[];
  }>;
}

/** What every caller is shown by every gate, and what policy says by the read models: both asked until they agree, or in vain. */
export async function sightsOf(
  stage: Stage,
  principals: readonly MadePrincipal[],
  nodes: readonly string[],
): Promise<readonly Sight[]> {
  const gates = stage.gates.filter(({ node }) => nodes.includes(node));
  const ask = (): Promise<PolicyAnswer> => stage.admin.ask<PolicyAnswer>(POLICY);
  let answer = await eventually(ask, { timeoutMs: PATIENCE_MS, everyMs: 500 });
  const sights: Sight[] = [];
  for (const principal of principals) {
    for (const gate of gates) {
      const caller = stage.caller(principal, gate);
      let sight: Sight | undefined;
      const agreed = async (): Promise<void> => {
        const shown = await caller.tools();
        sight = { node: gate.node, caller: principal.name, shown, due: dueTo(principal, answer) };
        if (JSON.stringify(sight.shown) === JSON.stringify(sight.due)) return;
        // It may be the read models that have not heard yet.
        answer = await ask();
        throw new Error('not what is due');
      };
      await eventually(agreed, { timeoutMs: PATIENCE_MS, everyMs: 250 }).catch(() => undefined);
      caller.close();
      if (sight === undefined) throw new Error(`${principal.name} could not look at ${gate.node}`);
      sights.push(sight);
    }
  }
  return sights;
}

function asRole({ name, connectors }: PolicyAnswer['roles']['nodes'][number]): RoleDefinition {
  return {
    name,
    description: '',
    management: 'none',
    connectors: connectors.map(({ slug, tools }) => ({
      slug,
      tools: Object.fromEntries(
        tools.map(({ tool, mode }) => [tool, mode.toLowerCase() as 'read' | 'write' | 'off']),
      ),
    })),
  };
}

function dueTo(
  { principalId, keyId }: MadePrincipal,
  { agents, users, servers, roles }: PolicyAnswer,
): readonly string[] | undefined {
  const policy = compile(roles.nodes.map(asRole));
  const principal = [...agents.nodes, ...users.nodes].find(({ id }) => id === principalId);
  const key = principal?.keys.find(({ id }) => id === keyId);
  if (principal?.active !== true || key?.status !== 'ACTIVE') return undefined;
  return servers.nodes
    .filter(({ status }) => status === 'APPROVED')
    .flatMap(({ slug, tools }) =>
      tools
        .filter((tool) => {
          const toolClass = tool.class === 'READ' ? 'read' : 'write';
          const asked = {
            roles: principal.roles,
            server: slug,
            tool: tool.name,
            toolClass,
          } as const;
          return decide(policy, asked).allow;
        })
        .map(({ name }) => `${slug}__${name}`),
    )
    .toSorted();
}
