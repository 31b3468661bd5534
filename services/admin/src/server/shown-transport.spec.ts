import { expect, test } from 'vitest';
import { shownTransport } from './shown-transport.ts';

test('shows the names of variables and never their values', () => {
  const shown = shownTransport({
    kind: 'stdio',
    command: 'node',
    args: ['server.js'],
    env: { TOKEN: 'a-secret', HOME: '/' },
  });
  expect(shown).toEqual({
    kind: 'stdio',
    command: 'node',
    args: ['server.js'],
    envNames: ['HOME', 'TOKEN'],
  });
});

test('shows an address without the credentials in it', () => {
  const shown = shownTransport({ kind: 'streamable-http', url: 'https://me:secret@a.example/mcp' });
  expect(shown).toEqual({ kind: 'streamable-http', url: 'https://a.example/mcp' });
});
