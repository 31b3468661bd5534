import { describe, expect, it } from 'vitest';
import { readTraceparent, writeTraceparent } from './traceparent.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const SPAN = 'b7ad6b7169203331';

describe('a traceparent', () => {
  it.each([
    ['sampled', `00-${TRACE}-${SPAN}-01`, 1],
    ['not sampled', `00-${TRACE}-${SPAN}-00`, 0],
    ['with flags that are not known yet', `00-${TRACE}-${SPAN}-ff`, 1],
    ['of a later version', `cc-${TRACE}-${SPAN}-01`, 1],
    ['of a later version that says more', `cc-${TRACE}-${SPAN}-01-what-comes`, 1],
  ])('that is %s is read', (_what, text, traceFlags) => {
    const place = readTraceparent(text);
    expect(place).toEqual({ traceId: TRACE, spanId: SPAN, traceFlags, isRemote: true });
    expect(writeTraceparent(place!)).toBe(`00-${TRACE}-${SPAN}-0${traceFlags}`);
  });

  it.each([
    ['nothing', undefined],
    ['an empty text', ''],
    ['the version that is none', `ff-${TRACE}-${SPAN}-01`],
    ['a trace of zeros', `00-${'0'.repeat(32)}-${SPAN}-01`],
    ['a span of zeros', `00-${TRACE}-${'0'.repeat(16)}-01`],
    ['capital letters', `00-${TRACE.toUpperCase()}-${SPAN}-01`],
    ['an id that is too short', `00-${TRACE.slice(1)}-${SPAN}-01`],
    ['an id that is too long', `00-${TRACE}0-${SPAN}-01`],
    ['more than version 00 has', `00-${TRACE}-${SPAN}-01-more`],
    ['text before it', ` 00-${TRACE}-${SPAN}-01`],
    ['text after it', `00-${TRACE}-${SPAN}-01\n<script>`],
    ['no flags', `00-${TRACE}-${SPAN}`],
  ])('that is %s is none', (_what, text) => {
    expect(readTraceparent(text)).toBeUndefined();
  });
});
