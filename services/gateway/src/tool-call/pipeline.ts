import type { Exchange } from '../entrance/exchange.ts';
import type { Gate } from '../gate.ts';
import { authenticate } from './steps/authenticate.ts';
import { authorize } from './steps/authorize.ts';
import { checkArguments } from './steps/check-arguments.ts';
import { checkCatalogueState } from './steps/check-catalogue-state.ts';
import { checkEvidence } from './steps/check-evidence.ts';
import { checkOrigin } from './steps/check-origin.ts';
import { checkProtocolVersion } from './steps/check-protocol-version.ts';
import { checkReadiness } from './steps/check-readiness.ts';
import { confirmCaller } from './steps/confirm-caller.ts';
import { confirmState } from './steps/confirm-state.ts';
import { forward } from './steps/forward.ts';
import { readMessage } from './steps/read-message.ts';
import { recordIntent } from './steps/record-intent.ts';
import { requireEndpoint } from './steps/require-endpoint.ts';
import { resolveEndpoint } from './steps/resolve-endpoint.ts';
import { resolveTool } from './steps/resolve-tool.ts';
import { resumeSession } from './steps/resume-session.ts';
import type { ToolCall } from './tool-call.ts';

/** A step passes a request on, or throws the Refusal that ends it. */
type Step<Subject> = (subject: Subject, gate: Gate) => void | Promise<void>;

/** Every request, whatever its method, passes these in this order. */
const admission: readonly Step<Exchange>[] = [
  checkReadiness,
  checkEvidence,
  checkOrigin,
  requireEndpoint,
  authenticate,
  readMessage,
  confirmCaller,
  checkProtocolVersion,
  resolveEndpoint,
  resumeSession,
];

/** A tools/call then passes these. What follows for both, whether they passed or not, is `conclude`: record the outcome, answer. */
const toolCall: readonly Step<ToolCall>[] = [
  resolveTool,
  checkCatalogueState,
  authorize,
  checkArguments,
  recordIntent,
  forward,
  confirmState,
];

/** Lets a request in. */
export const admit = (exchange: Exchange, gate: Gate): Promise<void> =>
  run(admission, exchange, gate);

/** Takes a tools/call to its server and back. */
export const governCall = (call: ToolCall, gate: Gate): Promise<void> =>
  run(toolCall, call, gate, call.signal);

async function run<Subject>(
  steps: readonly Step<Subject>[],
  subject: Subject,
  gate: Gate,
  signal?: AbortSignal,
): Promise<void> {
  for (const step of steps) {
    const passing = step(subject, gate);
    if (passing === undefined) continue;
    await passing;
    // While it waited, the call may have been given up or its right may have ended.
    signal?.throwIfAborted();
  }
}
