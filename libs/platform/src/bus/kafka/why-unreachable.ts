/** OpenSSL's names of what the other side complains of. */
const THEIR_COMPLAINT = /SSL.*ALERT.*CERTIFICATE/;
const CERTIFICATE = /CERT|ALTNAME|SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)/;

/** Why nothing comes of asking the cluster, for whoever has to mend it: it refuses who signs in, one side does not accept the certificate of the other, or it does not answer. */
export function whyKafkaUnreachable(error: unknown): string {
  const message = (error as Error).message.trim();
  const chain = [...causes(error)];
  if (chain.some(({ name }) => name?.includes('SASL')))
    return `Kafka refuses the sign-in: ${message}`;
  const codes = chain.flatMap(({ code }) => (typeof code === 'string' ? [code] : []));
  if (codes.some((code) => THEIR_COMPLAINT.test(code)))
    return `Kafka does not accept our certificate: ${message}`;
  if (codes.some((code) => CERTIFICATE.test(code)))
    return `the certificate of Kafka is not trusted: ${message}`;
  return `Kafka does not answer: ${message}`;
}

interface Cause {
  readonly name?: string;
  readonly code?: unknown;
  readonly cause?: unknown;
}

/** kafkajs wraps what it met in what it made of it. */
function* causes(error: unknown): Generator<Cause> {
  for (let cause = error as Cause | undefined; cause !== undefined && cause !== null;) {
    yield cause;
    cause = cause.cause as Cause | undefined;
  }
}
