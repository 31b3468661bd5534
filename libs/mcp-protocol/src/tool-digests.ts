import { hash } from 'node:crypto';
import type { RawTool, ToolDigests } from '@gatehouse/event-catalog';
import { Refusal } from '@gatehouse/problem-catalog';
import canonicalize from 'canonicalize';
import { facetsOf } from './tool-facets.ts';

/**
 * The pins of a tool: SHA-256 (hex) over the RFC 8785 form of its three facets (see `facetsOf`). Takes the tool as the
 * server sent it. Refuses with `upstream-garbled` what has no canonical form, such as a lone surrogate.
 */
export function toolDigests(tool: RawTool): ToolDigests {
  try {
    const { behavior, modelText, cosmetic } = facetsOf(tool);
    return {
      behavior: digest(behavior),
      modelText: digest(modelText),
      cosmetic: digest(cosmetic),
    };
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw new Refusal('upstream-garbled', {
      internal: `a tool has no canonical form: ${cause instanceof Error ? cause.message : 'unknown'}`,
      cause,
    });
  }
}

/** The pin of a whole catalogue: of the names and digests of its tools and nothing else, in whatever order they were listed. */
export function catalogueDigest(
  tools: readonly { readonly definition: Pick<RawTool, 'name'>; readonly digests: ToolDigests }[],
): string {
  const entries = tools.map(({ definition, digests }) =>
    canonical([definition.name, digests.behavior, digests.modelText, digests.cosmetic]),
  );
  return digest(entries.toSorted());
}

function digest(value: unknown): string {
  return hash('sha256', canonical(value), 'hex');
}

function canonical(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new Error('the value is not JSON');
  return text;
}
