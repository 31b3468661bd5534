import { Refusal } from '@gatehouse/problem-catalog';
import { Lexer, Source, TokenKind } from 'graphql';
import { refuseOperation } from '../error/answer-failure.ts';

// More than `admin.maxDepth` can allow, with what an argument may nest on top; the parser's stack holds many times this.
const MAX_NESTING = 200;
const OPENING: readonly string[] = [TokenKind.BRACE_L, TokenKind.BRACKET_L, TokenKind.PAREN_L];
const CLOSING: readonly string[] = [TokenKind.BRACE_R, TokenKind.BRACKET_R, TokenKind.PAREN_R];

/** Refuses a text before it is parsed, as the parser goes down one level of its stack for each bracket. */
export function checkText(query: string, maxTokens: number): void {
  if (!fits(query, maxTokens)) {
    const detail = `The query asks for too much: more than ${maxTokens} words and signs, or brackets nested more than ${MAX_NESTING} deep.`;
    throw refuseOperation(new Refusal('query-too-complex', { detail }));
  }
}

function fits(query: string, maxTokens: number): boolean {
  let [tokens, nesting] = [0, 0];
  for (const kind of kindsIn(query)) {
    tokens += 1;
    if (OPENING.includes(kind)) nesting += 1;
    else if (CLOSING.includes(kind)) nesting -= 1;
    if (tokens > maxTokens || nesting > MAX_NESTING) return false;
  }
  return true;
}

/** The kinds of the words and signs, up to where the text is none any more: the parser says what is wrong there. */
function* kindsIn(query: string): Generator<string> {
  const lexer = new Lexer(new Source(query));
  for (;;) {
    try {
      lexer.advance();
    } catch {
      return;
    }
    if (lexer.token.kind === TokenKind.EOF) return;
    yield lexer.token.kind;
  }
}
