import kafkajs, { type logCreator } from 'kafkajs';
import type { Logger } from '../../log/logger.ts';

/** What a healthy cluster says while groups change and coordinators move; kafkajs itself goes on from all of these. */
const PASSING =
  /rebalanc|coordinator is (?:loading|not available)|not aware of this member|Limiting retries/i;

/** kafkajs writes to our log: its errors are warnings here, as whoever asked is told of them too; of a client that was ended they are of no use. */
export const kafkaLogCreator =
  (log: Logger, isEnded: () => boolean): logCreator =>
  () =>
  ({ namespace, level, log: { message, ...fields } }) => {
    const text = `kafkajs ${namespace}: ${message}`;
    const isPassing = PASSING.test(message) || PASSING.test(String(fields['error']));
    if (level === kafkajs.logLevel.ERROR && !isPassing && !isEnded()) log.warn(fields, text);
    else log.debug(fields, text);
  };
