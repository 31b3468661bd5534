export type { Authentication, CallingPrincipal } from './authentication.ts';
export { mintKey, newKeyId, parseToken, type MintedKey, type ParsedToken } from './key-token.ts';
export { justBefore, PrincipalDirectory } from './principal-directory.ts';
export { parsePrincipalMessage, principalKey } from './principal-message.ts';
