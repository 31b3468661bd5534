import type { MercuriusLoaders } from 'mercurius';
import { findGroupMembers } from './group/find-group-members.query.ts';
import { findKeysOf } from './key/find-keys.query.ts';
import type { ReadModel } from './read-model.ts';
import { findToolsOf } from './tool/find-tools.query.ts';

interface Asked<Parent, Params = unknown> {
  readonly obj: Parent;
  readonly params: Params;
}

// A mutation may have changed between two fields of one request what the first of them read.
const opts = { cache: false };

/** The lists below objects that are lists themselves: each is read in one statement for all of its parents. */
export function loadersOf(model: ReadModel): MercuriusLoaders {
  const keysOf =
    (kind: 'user' | 'agent') => async (asked: readonly Asked<{ readonly id: string }>[]) => {
      const ids = asked.map(({ obj }) => obj.id);
      const keys = await findKeysOf(model, kind, ids);
      return ids.map((id) => keys.get(id) ?? []);
    };
  return {
    Server: {
      tools: {
        opts,
        loader: async (asked: readonly Asked<{ readonly slug: string }>[]) => {
          const slugs = asked.map(({ obj }) => obj.slug);
          const tools = await findToolsOf(model, slugs);
          return slugs.map((slug) => tools.get(slug) ?? []);
        },
      },
    },
    User: { keys: { opts, loader: keysOf('user') } },
    Agent: { keys: { opts, loader: keysOf('agent') } },
    Group: {
      members: {
        opts,
        loader: async (
          asked: readonly Asked<{ readonly id: string }, { readonly first: number }>[],
        ) => {
          const ids = asked.map(({ obj }) => obj.id);
          // Aliases may ask for different sizes; the largest serves all.
          const members = await findGroupMembers(
            model,
            ids,
            Math.max(...asked.map(({ params }) => params.first)),
          );
          return asked.map(({ obj, params }) => (members.get(obj.id) ?? []).slice(0, params.first));
        },
      },
    },
  };
}
