import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as a process sent it. */
export interface CollectedSpan {
  readonly name: string;
  /** Of the process that made it. */
  readonly service: string;
  readonly process: string;
  readonly traceId: string;
  readonly id: string;
  readonly parentId: string;
  readonly attributes: { readonly [name: string]: unknown };
}

/** What a collector of traces is to those that send to it: OTLP over HTTP, as JSON. */
export interface TraceCollector {
  readonly url: string;
  /** Everything that was sent, as it was sent. */
  readonly text: string;
  spansOf(traceId: string): readonly CollectedSpan[];
  stop(): Promise<void>;
}

interface Attribute {
  readonly key: string;
  readonly value: { readonly stringValue?: string; readonly intValue?: number };
}

interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly Attribute[] };
    readonly scopeSpans: readonly {
      readonly spans: readonly {
        readonly name: string;
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly attributes: readonly Attribute[];
      }[];
    }[];
  }[];
}

export async function startTraceCollector(): Promise<TraceCollector> {
  const collected: CollectedSpan[] = [];
  let text = '';
  const server = createServer((request, response) => {
    void bodyOf(request).then((body) => {
      text += body;
      collected.push(...spansIn(JSON.parse(body) as Sent));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    get text() {
      return text;
    },
    spansOf: (traceId) => collected.filter((span) => span.traceId === traceId),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) body += String(chunk);
  return body;
}

function spansIn({ resourceSpans }: Sent): readonly CollectedSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) => {
    const of = valuesOf(resource.attributes);
    return scopeSpans.flatMap(({ spans }) =>
      spans.map(({ name, traceId, spanId, parentSpanId = '', attributes }) => ({
        name,
        service: String(of['service.name']),
        process: String(of['service.instance.id']),
        traceId,
        id: spanId,
        parentId: parentSpanId,
        attributes: valuesOf(attributes),
      })),
    );
  });
}

function valuesOf(attributes: readonly Attribute[]): { readonly [name: string]: unknown } {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [key, value.stringValue ?? value.intValue]),
  );
}
