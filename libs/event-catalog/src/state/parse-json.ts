/** What a message says in JSON. Throws on bytes that are no UTF-8 or no JSON, where a lenient reader would take something else for it. */
export function parseJson(message: Uint8Array): unknown {
  return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(message));
}
