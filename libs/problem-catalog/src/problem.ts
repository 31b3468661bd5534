/** One error a caller can meet. `code` is stable for ever; `status` is the HTTP status; `rpcCode` the JSON-RPC code at the MCP endpoint; `title` the sentence the caller reads. */
export interface Problem {
  readonly code: string;
  readonly status: number;
  readonly rpcCode: number;
  readonly title: string;
}

/** Every problem there is, by code. A code, once released, is never renamed nor reused. */
export const problems = {
  // The caller's identity
  'authentication-required': p(
    401,
    -31001,
    'Send a key in the header `Authorization: Bearer <token>`.',
  ),
  'token-malformed': p(
    401,
    -31002,
    'The bearer token is not a Gatehouse key: it is garbled or cut short.',
  ),
  'token-refused': p(
    401,
    -31003,
    'The bearer token is unknown, expired or revoked, or its owner is locked out.',
  ),
  'management-denied': p(403, -31004, 'Your roles do not let you do this to the gate.'),
  'origin-refused': p(403, -31005, 'Requests from this web origin are not allowed.'),
  // The shape of a request
  'body-too-large': p(413, -31010, 'The request body is larger than this gate accepts.'),
  'content-type-unsupported': p(415, -31011, 'Send the body as `application/json`.'),
  'json-malformed': p(400, -32700, 'The body is not valid JSON.'),
  'batch-unsupported': p(
    400,
    -32600,
    'JSON-RPC batches are not part of this protocol version: send one message a request.',
  ),
  'message-malformed': p(400, -32600, 'The body is not a JSON-RPC 2.0 message.'),
  'method-unknown': p(200, -32601, 'Method not found'),
  'http-method-unsupported': p(405, -31012, 'This endpoint does not take this HTTP method.'),
  'not-acceptable': p(406, -31013, 'Accept both `application/json` and `text/event-stream`.'),
  'protocol-version-unsupported': p(
    400,
    -32022,
    'This gate does not speak the protocol version asked for.',
  ),
  'session-required': p(400, -31014, 'Initialize first, then send the header `Mcp-Session-Id`.'),
  'session-unknown': p(404, -31015, 'There is no such session: initialize again.'),
  'request-invalid': p(400, -31016, 'The request does not have the shape it must have.'),
  'not-found': p(404, -31017, 'There is nothing at this address.'),
  // A governed call. A hidden tool and a missing tool are the same answer, byte for byte.
  'server-unknown': p(404, -31020, 'There is no such server here.'),
  'tool-unknown': p(200, -32602, 'Unknown tool'),
  'arguments-invalid': p(200, -32602, 'The arguments do not match the schema of the tool.'),
  'upstream-unavailable': p(200, -31030, 'The server behind the gate cannot be reached.'),
  'upstream-timeout': p(200, -31031, 'The server behind the gate did not answer in time.'),
  'upstream-garbled': p(
    200,
    -31032,
    'The server behind the gate answered something that is not MCP.',
  ),
  'call-cut': p(
    200,
    -31033,
    'The call was cut: the right to make it ended while it was under way.',
  ),
  'call-cancelled': p(200, -31034, 'The call was cancelled by its caller.'),
  // The gate's own state
  'not-ready': p(
    503,
    -31040,
    'The gate has not loaded its state yet and refuses everything until it has.',
  ),
  'evidence-unavailable': p(
    503,
    -31041,
    'The gate cannot write its audit record, so the request is refused.',
  ),
  'state-stale': p(
    503,
    -31043,
    'The gate has not heard for too long from those whose word it decides by, and refuses everything until it has.',
  ),
  overloaded: p(503, -31042, 'The gate is at its limit; try again shortly.'),
  internal: p(
    500,
    -32603,
    'Something failed inside the gate; the correlation id names it in the logs.',
  ),
  // Commands of the admin API
  'version-conflict': p(
    409,
    -31050,
    'Somebody else changed this at the same moment, repeatedly; try again.',
  ),
  'service-unavailable': p(503, -31051, 'The service that owns this cannot be reached.'),
  'read-model-behind': p(
    504,
    -31052,
    'The change was made, but is not visible here yet; look again shortly.',
  ),
  'user-unknown': p(404, -31060, 'There is no such user.'),
  'user-name-taken': p(409, -31061, 'Another user has this user name.'),
  'user-deactivated': p(409, -31062, 'The user is deactivated.'),
  'group-unknown': p(404, -31063, 'There is no such group.'),
  'agent-unknown': p(404, -31064, 'There is no such agent.'),
  'agent-disabled': p(409, -31065, 'The agent is disabled.'),
  'agent-name-taken': p(409, -31066, 'Another agent has this name.'),
  'key-unknown': p(404, -31067, 'There is no such key.'),
  'key-ended': p(409, -31068, 'The key is revoked, expired or already replaced.'),
  'key-expiry-past': p(400, -31069, 'A key must expire in the future.'),
  'role-unknown': p(404, -31070, 'There is no such role.'),
  'role-built-in': p(
    409,
    -31071,
    'The role `admin` is built in: it cannot be deleted or stripped of its rights.',
  ),
  'last-administrator': p(409, -31072, 'This would leave nobody who may administer the gate.'),
  'server-not-found': p(404, -31080, 'There is no such server in the registry.'),
  'slug-taken': p(409, -31081, 'Another server has this slug.'),
  'server-state-wrong': p(409, -31082, 'The server is not in a state in which this can be done.'),
  'catalogue-changed': p(
    409,
    -31083,
    'The catalogue is not the one that was reviewed: look at it again.',
  ),
  'catalogue-missing': p(409, -31084, 'The catalogue of the server was not fetched yet.'),
  'tool-not-in-catalogue': p(404, -31085, 'The server does not offer this tool.'),
  'command-not-allowed': p(
    403,
    -31086,
    'The stdio command is not on the list that the operator allows.',
  ),
  'audit-record-unknown': p(404, -31090, 'There is no such audit record.'),
  'audit-key-missing': p(409, -31091, 'The key that sealed these arguments is not at hand.'),
  'cursor-invalid': p(400, -31092, 'The cursor was not made by this search.'),
  'query-too-complex': p(400, -31093, 'The query is deeper or costlier than this API allows.'),
} as const satisfies Record<string, Omit<Problem, 'code'>>;

/** The code of a catalogued problem. */
export type ProblemCode = keyof typeof problems;

function p(status: number, rpcCode: number, title: string): Omit<Problem, 'code'> {
  return { status, rpcCode, title };
}

/** The catalogue's entry for a code. */
export function problem(code: ProblemCode): Problem {
  return { code, ...problems[code] };
}
