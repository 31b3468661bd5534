import { problem, problems, type ProblemCode } from '@gatehouse/problem-catalog';
import { code, heading, table } from './markdown.ts';

/** `docs/reference/problems.md`: every code that a caller can meet. */
export function problemsPage(): string {
  const rows = (Object.keys(problems) as ProblemCode[]).map((name) => {
    const { status, rpcCode, title } = problem(name);
    return [code(name), String(status), String(rpcCode), title];
  });
  return [
    heading('Problems', '`libs/problem-catalog`'),
    'What a caller can be told. A code is stable: once released it is never renamed nor used for something else.',
    '',
    '- Over HTTP the answer is `application/problem+json` (RFC 9457): `type` and `code` carry the code, `title` the',
    '  sentence, `status` the HTTP status, and `correlationId` names the request in the logs.',
    '- At an MCP endpoint the answer to a request is a JSON-RPC error with the JSON-RPC code below and the code in',
    '  `error.data.problem`. Codes of our own lie outside the range that JSON-RPC and MCP reserve (-32768 to -32000).',
    '- `error.data.forwarded` is true where the server behind the gate had been given the call: it may have taken effect, so it',
    '  must not simply be repeated. Where it is absent, nothing was forwarded.',
    '- A tool that is hidden and a tool that is missing are the same answer, byte for byte: `tool-unknown`.',
    '',
    table(['Code', 'HTTP', 'JSON-RPC', 'The caller reads'], rows),
  ].join('\n');
}
