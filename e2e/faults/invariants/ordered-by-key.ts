import type { Evidence, LoggedEvent, TopicMessage, Violation } from '../evidence.ts';

const INVARIANT = 'ordered by key';

/** Logs have no holes; every event of a log is on its topic, in order; positions of a key go back only where something is repeated word for word. */
export function orderedByKey({ logs, topics, states, raw }: Evidence): Violation[] {
  return [
    ...Object.entries(logs).flatMap(([owner, log]) => [
      ...holesIn(owner, log),
      ...missingOn(owner, log, topics[owner] ?? []),
    ]),
    ...Object.entries(topics).flatMap(([name, messages]) => backwardsIn(name, messages)),
    ...Object.entries(states).flatMap(([name, messages]) => backwardsIn(name, messages)),
    ...backwardsIn('the topic of records', raw),
  ];
}

function holesIn(owner: string, log: readonly LoggedEvent[]): Violation[] {
  const versions = new Map<string, number>();
  return log.flatMap((event, index) => {
    const version = (versions.get(event.stream) ?? 0) + 1;
    versions.set(event.stream, event.version);
    if (event.position !== index + 1) return [broken(`the log of ${owner} has a hole`, event)];
    if (event.version !== version)
      return [broken(`a stream of ${owner} has a hole in its versions`, event)];
    return [];
  });
}

function missingOn(
  owner: string,
  log: readonly LoggedEvent[],
  messages: readonly TopicMessage[],
): Violation[] {
  const known = new Map(log.map((event) => [event.id, event]));
  const published = new Set(messages.map(({ id }) => id));
  return [
    ...log
      .filter(({ id }) => !published.has(id))
      .map((event) => broken(`an event of ${owner} is not on its topic`, event)),
    ...messages
      .filter(({ id, position }) => known.get(id ?? '')?.position !== position)
      .map((message) => broken(`the topic of ${owner} has what its log does not`, message)),
  ];
}

function backwardsIn(name: string, messages: readonly TopicMessage[]): Violation[] {
  const highest = new Map<string, number>();
  const seen = new Set<string>();
  const inOrder = messages.toSorted((a, b) => a.partition - b.partition || a.offset - b.offset);
  return inOrder.flatMap((message) => {
    const { key, position, value } = message;
    const last = highest.get(key ?? '') ?? 0;
    const text = JSON.stringify([key, position, value]);
    const isRepeat = seen.has(text);
    seen.add(text);
    highest.set(key ?? '', Math.max(last, position));
    return position < last && !isRepeat
      ? [broken(`${name} goes back from ${last} to what it never said before`, message)]
      : [];
  });
}

function broken(what: string, ...shownBy: readonly unknown[]): Violation {
  return { invariant: INVARIANT, what, shownBy };
}
