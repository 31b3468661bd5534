import kafkajs, { type logCreator } from 'kafkajs';
import type { Logger } from '../../log/logger.ts';

/** kafkajs writes to our log, for whoever debugs: of all that it fails in and goes on from, what matters is told by who asked for it. */
export const kafkaLogCreator =
  (log: Logger): logCreator =>
  () =>
  ({ namespace, level, log: { message, ...fields } }) => {
    const text = `kafkajs ${namespace}: ${message}`;
    if (level === kafkajs.logLevel.ERROR) log.debug(fields, text);
    else log.trace(fields, text);
  };
