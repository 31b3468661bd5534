import { setTimeout as sleep } from 'node:timers/promises';
import { Refusal } from '@gatehouse/problem-catalog';
import { afterEach, describe, expect, it } from 'vitest';
import { createLogger } from '../log/logger.ts';
import { recordSpans, type RecordedSpans } from '../testing/record-spans.ts';
import {
  currentTraceparent,
  inSpan,
  isTracing,
  markFailed,
  startSpan,
  traceparentOf,
  withSpan,
} from './span.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const SAMPLED = `00-${TRACE}-${PARENT}-01`;

let spans: RecordedSpans | undefined;
afterEach(async () => {
  await spans?.stop();
  spans = undefined;
});

describe('without an SDK', () => {
  it('work is done as if nothing were around it, and says nothing of a trace', async () => {
    expect(isTracing()).toBe(false);
    const inside = await withSpan('a', { from: SAMPLED }, async () => currentTraceparent());
    expect(inside).toBeUndefined();
    expect(traceparentOf(startSpan('b', { from: SAMPLED }))).toBeUndefined();
  });
});

describe('a span', () => {
  it('continues the trace that it is given, and what runs in it continues the span', async () => {
    spans = recordSpans();
    await withSpan('outer', { from: SAMPLED, kind: 'server' }, async () => {
      await sleep(1);
      await withSpan('inner', {}, () => sleep(1));
    });
    const [outer, inner] = [spans.only('outer'), spans.only('inner')];
    expect(outer).toMatchObject({ traceId: TRACE, parentId: PARENT, kind: 1 });
    expect(inner).toMatchObject({ traceId: TRACE, parentId: outer.id });
  });

  it('begins a trace of its own where it is given none, or something that is none', () => {
    spans = recordSpans();
    withSpan('around', {}, () => {
      withSpan('own', { from: null }, () => undefined);
      withSpan('ill', { from: `00-${'0'.repeat(32)}-${PARENT}-01` }, () => undefined);
    });
    for (const name of ['own', 'ill']) {
      expect(spans.only(name).parentId).toBeUndefined();
      expect(spans.only(name).traceId).not.toBe(spans.only('around').traceId);
    }
  });

  it('names itself to others in a form that they continue', () => {
    spans = recordSpans();
    const span = startSpan('a', { from: SAMPLED });
    expect(inSpan(span, currentTraceparent)).toBe(traceparentOf(span));
    withSpan('b', { from: traceparentOf(span) }, () => undefined);
    span.end();
    expect(spans.only('b').parentId).toBe(spans.only('a').id);
  });

  it('ends with its work where that fails, and says by which code', async () => {
    spans = recordSpans();
    const refused = withSpan('refused', {}, () =>
      Promise.reject(new Refusal('not-ready', { internal: 'of no concern to a collector' })),
    );
    await expect(refused).rejects.toThrow(Refusal);
    expect(() =>
      withSpan('broken', {}, () => {
        throw new TypeError('x');
      }),
    ).toThrow('x');
    expect(spans.only('refused')).toMatchObject({
      failed: true,
      attributes: { 'error.type': 'not-ready' },
    });
    expect(spans.only('broken')).toMatchObject({
      failed: true,
      attributes: { 'error.type': 'TypeError' },
    });
    expect(JSON.stringify(spans.all())).not.toContain('of no concern');
  });

  it('is recorded where its trace says so, and else by the ratio', () => {
    spans = recordSpans(0);
    const own = startSpan('own', { from: null });
    own.end();
    startSpan('unsampled', { from: `00-${TRACE}-${PARENT}-00` }).end();
    startSpan('sampled', { from: SAMPLED }).end();
    expect(spans.all().map(({ name }) => name)).toEqual(['sampled']);
    // Nobody further on records it either.
    expect(traceparentOf(own)).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  });

  it('links to what else it has to do with', () => {
    spans = recordSpans();
    startSpan('a', { from: null, links: [SAMPLED, 'none'] }).end();
    expect(spans.only('a').links).toEqual([TRACE]);
  });

  it('is named in every line that is logged in it, and in no other', () => {
    spans = recordSpans();
    const lines: string[] = [];
    const destination = { write: (line: string) => void lines.push(line) };
    const log = createLogger({ service: 's', level: 'info', destination });
    withSpan('a', { from: SAMPLED }, () => log.info('inside'));
    log.info('outside');
    const traces = lines.map((line) => (JSON.parse(line) as { trace_id?: string }).trace_id);
    expect(traces).toEqual([TRACE, undefined]);
  });

  it('can be marked as failed by what is no error', () => {
    spans = recordSpans();
    const span = startSpan('a');
    markFailed(span, 'text');
    span.end();
    expect(spans.only('a')).toMatchObject({
      failed: true,
      attributes: { 'error.type': 'string' },
    });
  });
});
