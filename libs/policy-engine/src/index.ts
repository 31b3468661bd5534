export { classKey } from './class-key.ts';
export { compile, type CompiledPolicy } from './compile.ts';
export { decide } from './decide.ts';
export type { Decision, DecisionCode, DecisionReason, DecisionRequest } from './decision.ts';
export { managementOf, type Management } from './management.ts';
export { parsePolicyMessage } from './policy-message.ts';
export { readToolGrant } from './read-tool-grant.ts';
