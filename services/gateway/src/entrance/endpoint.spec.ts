import { expect, it } from 'vitest';
import { endpointOf } from './endpoint.ts';

it('knows the addresses at which MCP is spoken, and no others', () => {
  expect(endpointOf('/mcp')).toEqual({ kind: 'aggregate', path: '/mcp' });
  expect(endpointOf('/mcp?x=/s/a/mcp')).toEqual({ kind: 'aggregate', path: '/mcp' });
  expect(endpointOf('/s/files/mcp')).toEqual({
    kind: 'server',
    path: '/s/files/mcp',
    slug: 'files',
  });
  for (const other of [undefined, '', '/', '*', '/mcpx', '/sx', '/x/s/a/mcp', '/x/mcp', '/%zz']) {
    expect(endpointOf(other)).toBeUndefined();
  }
});

it.each([
  '/mcp/',
  '//mcp',
  '/MCP',
  '/mcp//',
  '/mcp/x',
  '/%6Dcp',
  '/s',
  '/s/',
  '/s/x/mcp/',
  '/S/x/mcp',
  '/s//x/mcp',
  '/s/mcp',
  '/s/a/b/mcp',
  '/s/x/MCP?y',
  '/mcp%2F',
])('knows %s for a near miss of these', (target) => {
  expect(endpointOf(target)).toEqual({ kind: 'nowhere', path: target.split('?')[0] });
});

it('still knows endpoints after callers made up more of them than it remembers', () => {
  for (let n = 0; n < 2_000; n += 1) endpointOf(`/s/made-up-${n}/mcp`);
  expect(endpointOf('/s/after/mcp')).toMatchObject({ slug: 'after' });
});
