import { Refusal } from '@gatehouse/problem-catalog';
import type { Gate } from '../gate.ts';
import { refusalAnswer, type Answer, type Ending } from './answer.ts';
import type { Exchange } from './exchange.ts';
import { outcomeOf } from './record-draft.ts';
import { countRequest } from './request-metrics.ts';
import { finishStream, pipe } from './request-stream.ts';

/** Ends a request: records how it ended, and only then lets the answer out; answers how it ended. What cannot be recorded is refused. */
export async function conclude(exchange: Exchange, answer: Answer, gate: Gate): Promise<Ending> {
  const recorded = await isRecorded(exchange, answer, gate);
  await answer.settle?.(recorded);
  const leaving = recorded ? answer : refusalAnswer(exchange, unrecorded(exchange, gate));
  if (exchange.stream === null) {
    write(exchange, leaving);
  } else if (leaving.kind === 'json') {
    await finishStream(exchange, leaving.body);
  }
  countRequest(exchange, leaving.ending);
  return leaving.ending;
}

// While the gate starts, evidence is not there either; what the caller waits for is the state. Not so once a call was forwarded.
function unrecorded({ forwarded }: Exchange, { state }: Gate): Refusal {
  const doubt = forwarded ? undefined : state.doubt();
  return new Refusal(doubt?.code ?? 'evidence-unavailable');
}

async function isRecorded(exchange: Exchange, answer: Answer, gate: Gate): Promise<boolean> {
  const draft = outcomeOf(exchange, {
    ending: answer.ending,
    // Once a stream is open its status has left: the outcome is in the message.
    status: exchange.stream === null ? statusOf(answer) : 200,
    resultBytes: resultBytesOf(answer),
    bundleNumber: gate.state.bundleNumber,
  });
  try {
    await gate.evidence.record(draft);
    return true;
  } catch (error) {
    const { requestId } = exchange;
    // That nothing can be recorded is told once, where it begins; a line a call would fill the disk that is full.
    if (error instanceof Refusal)
      gate.log.debug({ requestId, reason: error.internal }, 'a request could not be recorded');
    else gate.log.error({ requestId, err: error }, 'a request could not be recorded');
    return false;
  }
}

function write({ response, cors }: Exchange, answer: Answer): void {
  switch (answer.kind) {
    case 'json':
      response.writeHead(answer.status, {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(answer.body),
        ...cors,
        ...answer.headers,
      });
      response.end(answer.body);
      return;
    case 'status':
      response.writeHead(answer.status, { ...cors, ...answer.headers }).end();
      return;
    case 'framed':
      void pipe(answer.response, response, cors);
  }
}

function statusOf(answer: Answer): number {
  return answer.kind === 'framed' ? answer.response.status : answer.status;
}

function resultBytesOf(answer: Answer): number {
  return answer.kind === 'json' && answer.ending.outcome !== 'refused'
    ? Buffer.byteLength(answer.body)
    : 0;
}
