import { stripVTControlCharacters as plain } from 'node:util';
import { describe, expect, it } from 'vitest';
import { trailLine, trailTable, type TrailRow } from './audit-trail.ts';

const row = (given: Partial<TrailRow>): TrailRow => ({
  id: 'record',
  index: 0,
  at: '2026-01-31T12:34:56.789Z',
  method: 'tools/call',
  endpoint: '/mcp',
  principal: { name: 'report-bot' },
  server: 'files',
  tool: 'read_file',
  decision: 'ALLOW',
  outcome: 'OK',
  reason: { code: 'granted', text: 'A role lets it.' },
  durationMs: 1.25,
  ...given,
});

describe('the trail on a terminal', () => {
  it('says who asked when for which tool, what was decided and why, and how long it took, oldest first', () => {
    const text = plain(
      trailTable([
        row({ tool: 'write_file', decision: 'DENY', outcome: 'REFUSED' }),
        row({ outcome: 'TOOL_ERROR' }),
      ]),
    );
    const cells = text
      .split('\n')
      .filter((line) => line.includes('│'))
      .map((line) =>
        line
          .split('│')
          .map((cell) => cell.trim())
          .slice(1, -1),
      );
    expect(cells).toEqual([
      ['time (UTC)', 'who', 'what', 'decision', 'why', 'ms'],
      [
        '12:34:56.789',
        'report-bot',
        'files read_file',
        'allow (tool error)',
        'A role lets it.',
        '1.3',
      ],
      ['12:34:56.789', 'report-bot', 'files write_file', 'deny', 'A role lets it.', '1.3'],
    ]);
  });

  it('says where something was asked that named no tool, and a dash for nobody', () => {
    const stranger = { principal: null, server: null, tool: null };
    expect(plain(trailLine(row({ ...stranger, method: 'http', endpoint: '/s/x/mcp' })))).toMatch(
      /^12:34:56\.789 {2}- {2}http \/s\/x\/mcp {2}/,
    );
    expect(trailLine(row({ ...stranger, method: 'tools/list' }))).toContain('  tools/list  ');
  });
});
