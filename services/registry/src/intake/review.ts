import type { ApprovedTool, FetchedTool, ToolClass } from '@gatehouse/event-catalog';

/** A tool as a reviewer sees it: as fetched, and the class that an administrator gave it, if any. */
export interface ReviewedTool extends FetchedTool {
  readonly decidedClass: ToolClass | null;
}

/** Lays a new catalogue before the reviewers. What they decided of a tool holds while it does and says the same. */
export function review(
  previous: readonly ReviewedTool[],
  fetched: readonly FetchedTool[],
): readonly ReviewedTool[] {
  const before = new Map(previous.map((tool) => [tool.definition.name, tool]));
  return fetched.map((tool) => {
    const known = before.get(tool.definition.name);
    const unchanged =
      known !== undefined &&
      known.digests.behavior === tool.digests.behavior &&
      known.digests.modelText === tool.digests.modelText;
    return { ...tool, decidedClass: unchanged ? known.decidedClass : null };
  });
}

/** Notes an administrator's class for one tool. */
export function classify(
  tools: readonly ReviewedTool[],
  name: string,
  decidedClass: ToolClass,
): readonly ReviewedTool[] {
  return tools.map((tool) => (tool.definition.name === name ? { ...tool, decidedClass } : tool));
}

/** The copies to be served: with the administrator's class, or else the proposed one. */
export function pin(tools: readonly ReviewedTool[]): ApprovedTool[] {
  return tools.map(({ definition, digests, decidedClass, proposedClass }) => ({
    definition,
    digests,
    class: decidedClass ?? proposedClass,
  }));
}
