import { timingSafeEqual } from 'node:crypto';

/** Whether an `Authorization` header carries the token by which services know each other; told apart in constant time. */
export function carriesServiceToken(expected: string, authorization: string | undefined): boolean {
  const given = Buffer.from(authorization ?? '');
  const wanted = Buffer.from(`Bearer ${expected}`);
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}
