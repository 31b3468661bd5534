const MEANINGS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there',
  ECONNRESET: 'the connection was ended from there',
  EAI_AGAIN: 'the name of the host cannot be looked up now',
  EHOSTUNREACH: 'there is no way to the host',
  ENETUNREACH: 'there is no way to the host',
  ENOTFOUND: 'there is no host of that name',
  ETIMEDOUT: 'it does not answer in time',
};
/** What is said without a code: by `pg`, and by `fetch` of what is no HTTP. */
const ENDED = /^(?:Connection terminated|other side closed|socket hang up)/;
const LATE = /^(?:timeout expired|timeout exceeded|Query read timeout)/;

/** Why somebody on the network could not be talked to; undefined where the error says nothing of the kind. */
export function whyUnreachable(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const meaning = MEANINGS[String((cause as NodeJS.ErrnoException).code)];
    if (meaning !== undefined) return meaning;
    if (cause.message === 'bad port') return 'no HTTP is spoken on that port';
    if (ENDED.test(cause.message)) return 'the connection was ended from there';
    if (LATE.test(cause.message)) return 'it does not answer in time';
  }
  return undefined;
}
