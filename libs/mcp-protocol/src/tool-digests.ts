import type { RawTool, ToolDigests } from '@gatehouse/event-catalog';
import { Refusal } from '@gatehouse/problem-catalog';
import { canonicalDigest } from './canonical-digest.ts';
import { facetsOf } from './tool-facets.ts';

/**
 * The pins of a tool: SHA-256 (hex) over the RFC 8785 form of its three facets (see `facetsOf`). Takes the tool as the
 * server sent it. Refuses with `upstream-garbled` what has no canonical form, such as a lone surrogate.
 */
export function toolDigests(tool: RawTool): ToolDigests {
  try {
    const { behavior, modelText, cosmetic } = facetsOf(tool);
    return {
      behavior: canonicalDigest(behavior),
      modelText: canonicalDigest(modelText),
      cosmetic: canonicalDigest(cosmetic),
    };
  } catch (cause) {
    if (cause instanceof Refusal) throw cause;
    throw new Refusal('upstream-garbled', {
      internal: `a tool has no canonical form: ${cause instanceof Error ? cause.message : 'unknown'}`,
      cause,
    });
  }
}
