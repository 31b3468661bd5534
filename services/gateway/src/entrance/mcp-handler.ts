import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RawHandler } from '@gatehouse/platform';
import { Refusal } from '@gatehouse/problem-catalog';
import type { Gate } from '../gate.ts';
import { admit } from '../tool-call/pipeline.ts';
import { refusalAnswer, type Answer } from './answer.ts';
import { conclude } from './conclude.ts';
import { corsHeaders, preflightAnswer } from './cors.ts';
import { endpointOf, type Endpoint } from './endpoint.ts';
import { Exchange } from './exchange.ts';
import { endTrace, inTrace } from './request-trace.ts';
import { respond } from './respond.ts';

/** Serves MCP at `/mcp` and `/s/<slug>/mcp` on raw requests, ahead of any framework, and refuses near misses of these; every other path is not its own. */
export function createMcpHandler(gate: Gate): RawHandler {
  return (request, response) => {
    const endpoint = endpointOf(request.url);
    if (endpoint === undefined) return false;
    void serve(request, response, endpoint, gate);
    return true;
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  endpoint: Endpoint,
  gate: Gate,
): Promise<void> {
  const exchange = new Exchange(request, response, endpoint);
  exchange.cors = corsHeaders(exchange, gate.config.allowedOrigins);
  const done = gate.underWay.enter();
  try {
    const answer = await answerTo(exchange, gate);
    const ending = await inTrace(exchange, () => conclude(exchange, answer, gate));
    endTrace(exchange, ending);
  } catch (error) {
    gate.log.error(
      { requestId: exchange.requestId, err: error },
      'a request could not be answered',
    );
    response.destroy();
  } finally {
    done();
  }
}

async function answerTo(exchange: Exchange, gate: Gate): Promise<Answer> {
  try {
    const preflight = preflightAnswer(exchange, gate.config.allowedOrigins);
    if (preflight !== undefined) return preflight;
    await admit(exchange, gate);
    return await inTrace(exchange, () => respond(exchange, gate));
  } catch (thrown) {
    if (!(thrown instanceof Refusal)) {
      gate.log.error(
        { requestId: exchange.requestId, err: thrown },
        'a request failed inside the gate',
      );
    }
    return refusalAnswer(exchange, thrown);
  }
}
