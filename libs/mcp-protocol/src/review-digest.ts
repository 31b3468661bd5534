import type { ApprovedTool, RawTool, Transport } from '@gatehouse/event-catalog';
import { canonicalDigest, canonicalText } from './canonical-digest.ts';

/** All that an approval of a server would put in force. */
export interface UnderReview {
  readonly slug: string;
  readonly name: string;
  /** See `transportDigest`: a reviewer's side need not hold the values of variables. */
  readonly transportDigest: string;
  /** The tools, each with the class that the approval would pin. */
  readonly tools: readonly (Pick<ApprovedTool, 'digests' | 'class'> & {
    readonly definition: Pick<RawTool, 'name'>;
  })[];
}

/** The pin of how a server is reached: of its address, or of its command with the arguments and variables, values included. */
export function transportDigest(transport: Transport): string {
  return canonicalDigest(transport);
}

/** What an approval must name: the pin of all that it would put in force, in whatever order the tools were listed. */
export function reviewDigest({
  slug,
  name,
  transportDigest: transport,
  tools,
}: UnderReview): string {
  const entries = tools.map(({ definition, digests, class: as }) =>
    canonicalText([definition.name, digests.behavior, digests.modelText, digests.cosmetic, as]),
  );
  return canonicalDigest({ slug, name, transport, tools: entries.toSorted() });
}
