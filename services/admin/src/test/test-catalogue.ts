/** A catalogue of two tools, the first of which says that it only reads. */
export function catalogueOf(slug: string, version = '1') {
  const tool = (name: string, proposedClass: 'read' | 'write') => ({
    definition: { name, description: `${name} of ${slug}`, inputSchema: { type: 'object' } },
    digests: {
      behavior: `behavior-${version}`,
      modelText: `text-${name}`,
      cosmetic: `cosmetic-${name}`,
    },
    proposedClass,
    proposedBecause: proposedClass === 'read' ? 'it says so' : 'nothing says that it only reads',
  });
  return {
    slug,
    serverInfo: { name: slug, version, protocolVersion: '2025-11-25', instructions: null },
    tools: [tool('look', 'read'), tool('alter', 'write')],
  };
}
