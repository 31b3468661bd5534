import pc from 'picocolors';

/** The demo promised something that did not come true. */
class BrokenExpectation extends Error {
  constructor(sentence: string, found: string) {
    super(`this did not come true: ${sentence}; found instead: ${found}`);
    this.name = 'BrokenExpectation';
  }
}

/** Checks one promise of the story and tells it; the first that does not hold ends the demo. */
export type Expect = (sentence: string, holds: boolean, found?: unknown) => void;

/** Expectations that are told on `out` as they are checked. */
export function expectations(out: (line: string) => void): Expect {
  return (sentence, holds, found) => {
    if (!holds) throw new BrokenExpectation(sentence, JSON.stringify(found) ?? 'nothing');
    out(`    ${pc.green('✓')} ${sentence}`);
  };
}
