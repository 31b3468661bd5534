const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;

/** A fetch whose answers fail once one message in them is larger than the limit: a whole body, or one event of a stream. */
export function fetchWithinLimit(maxMessageBytes: number): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (response.body === null) return response;
    const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false;
    const limited = response.body.pipeThrough(limiter(maxMessageBytes, isStream));
    return new Response(limited, response);
  };
}

class MessageOverLimit extends Error {
  constructor(maxMessageBytes: number) {
    super(`a message is larger than ${maxMessageBytes} bytes`);
    this.name = 'MessageOverLimit';
  }
}

function limiter(
  maxMessageBytes: number,
  isStream: boolean,
): TransformStream<Uint8Array, Uint8Array> {
  let size = 0;
  return new TransformStream({
    transform(chunk, controller) {
      const end = isStream ? endOfLastEvent(chunk) : -1;
      size = end < 0 ? size + chunk.length : chunk.length - end;
      if (size > maxMessageBytes) controller.error(new MessageOverLimit(maxMessageBytes));
      else controller.enqueue(chunk);
    },
  });
}

// An end that two chunks share is missed, and two events then count as one: the limit bounds memory, it need not be exact.
function endOfLastEvent(chunk: Uint8Array): number {
  for (let at = chunk.length - 1; at > 0; at -= 1) {
    if (chunk[at] !== LINE_FEED) continue;
    const before = chunk[at - 1] === CARRIAGE_RETURN ? chunk[at - 2] : chunk[at - 1];
    if (before === LINE_FEED) return at + 1;
  }
  return -1;
}
