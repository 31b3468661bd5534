import { methods, type JsonObject } from '@gatehouse/mcp-protocol';
import type { Refusal } from '@gatehouse/problem-catalog';
import { openStream, sendOnStream } from '../entrance/request-stream.ts';
import type { Gate } from '../gate.ts';
import { intentRecorded } from './steps/record-intent.ts';
import type { ToolCall } from './tool-call.ts';

/** Passes a server's progress on to the request that asked for it, under the token it asked with; undefined if it did not ask. */
export function relayProgress(
  call: ToolCall,
  gate: Gate,
): ((params: JsonObject) => void) | undefined {
  const token = call.meta?.['progressToken'];
  if (typeof token !== 'string' && typeof token !== 'number') return undefined;
  let last = Number.NEGATIVE_INFINITY;
  return (params) => {
    const { progress } = params;
    // Progress must rise; what does not is left out, as the specification has it.
    if (typeof progress !== 'number' || !(progress > last)) return;
    last = progress;
    const send = (): void => {
      // While it waited, the call may have been cut, or the gate have lost touch.
      if (call.signal.aborted || gate.state.doubt()?.code === 'state-stale') return;
      openStream(call.exchange);
      sendOnStream(call.exchange, {
        jsonrpc: '2.0',
        method: methods.progress,
        params: { ...params, progress, progressToken: token },
      });
    };
    // These are the server's words: nothing of them leaves before there is a trace of the call.
    intentRecorded(call, gate).then(send, (refusal: Refusal) => call.end(refusal));
  };
}
