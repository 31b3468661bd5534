import type {
  ApprovedTool,
  EventOf,
  FetchedTool,
  ServerInfo,
  ToolClass,
  Transport,
} from '@gatehouse/event-catalog';
import type { Decider } from '@gatehouse/event-sourcing';
import { reviewDigest, transportDigest } from '@gatehouse/mcp-protocol';
import { Refusal } from '@gatehouse/problem-catalog';
import { classify, pin, review, type ReviewedTool } from './review.ts';

export type ServerEvent = EventOf<
  | 'registry.server-submitted.v1'
  | 'registry.catalogue-fetched.v1'
  | 'registry.catalogue-fetch-failed.v1'
  | 'registry.tool-classified.v1'
  | 'registry.server-approved.v1'
  | 'registry.server-rejected.v1'
  | 'registry.server-suspended.v1'
  | 'registry.server-resumed.v1'
>;

/** What was asked for. A slug may be submitted again once it was rejected: `round` tells its submissions apart. */
interface Submission {
  readonly round: number;
  readonly name: string;
  readonly transport: Transport;
}

/** `tools` wait for review; `approved` alone is served, and only while the status is `approved`. */
export type Server =
  | { readonly status: 'unknown' }
  | ({ readonly status: 'submitted' } & Submission)
  | ({ readonly status: 'fetched'; readonly tools: readonly ReviewedTool[] } & Submission)
  | ({
      readonly status: 'approved' | 'suspended';
      readonly tools: readonly ReviewedTool[];
      readonly approved: readonly ApprovedTool[];
    } & Submission)
  | { readonly status: 'rejected'; readonly round: number };

type Submitted = Extract<Server, Submission>;
type Reviewable = Exclude<Submitted, { status: 'submitted' }>;

interface Of<Type extends string> {
  readonly type: Type;
  readonly slug: string;
}

interface SubmitServer extends Of<'submit-server'> {
  readonly name: string;
  readonly description: string;
  readonly transport: Transport;
}
interface RecordCatalogue extends Of<'record-catalogue'> {
  readonly round: number;
  readonly serverInfo: ServerInfo;
  readonly tools: readonly FetchedTool[];
}
interface RecordFetchFailure extends Of<'record-fetch-failure'> {
  readonly round: number;
  readonly reason: string;
}
interface ClassifyTool extends Of<'classify-tool'> {
  readonly tool: string;
  readonly class: ToolClass;
}
interface ApproveServer extends Of<'approve-server'> {
  readonly catalogueDigest: string;
}
type GiveReason = Of<'reject-server' | 'suspend-server'> & { readonly reason: string };

export type ServerCommand =
  | SubmitServer
  | RecordCatalogue
  | RecordFetchFailure
  | ClassifyTool
  | ApproveServer
  | GiveReason
  | Of<'resume-server'>;

/** The stream of a server; one slug is one stream, so a slug is unique. */
export const serverStream = (slug: string): string => `server-${slug}`;

/**
 * A server's way through intake: submitted, fetched, approved; then suspended and resumed; or rejected. What is served
 * changes by an approval and by nothing else: a catalogue fetched later waits beside the approved one.
 */
export const serverDecider: Decider<Server, ServerCommand, ServerEvent> = {
  initialState: { status: 'unknown' },
  decide(command, server) {
    if (command.type === 'submit-server') return submit(command, server);
    const known = requireSubmitted(server);
    switch (command.type) {
      case 'record-catalogue':
        return recordCatalogue(command, known);
      case 'record-fetch-failure': {
        requireSameRound(command.round, known);
        const { slug, reason } = command;
        return [{ type: 'registry.catalogue-fetch-failed.v1', data: { slug, reason } }];
      }
      case 'classify-tool':
        return classifyTool(command, known);
      case 'approve-server':
        return approve(command, known);
      case 'reject-server': {
        if (known.status === 'approved') throw wrongState('It is in service: suspend it first.');
        const { slug, reason } = command;
        return [{ type: 'registry.server-rejected.v1', data: { slug, reason } }];
      }
      case 'suspend-server': {
        if (known.status !== 'approved') throw wrongState('It is not in service.');
        const { slug, reason } = command;
        return [{ type: 'registry.server-suspended.v1', data: { slug, reason } }];
      }
      case 'resume-server':
        if (known.status !== 'suspended') throw wrongState('It is not suspended.');
        return [{ type: 'registry.server-resumed.v1', data: { slug: command.slug } }];
    }
  },
  evolve(server, event) {
    if (event.type === 'registry.server-submitted.v1') {
      const { name, transport } = event.data;
      return { status: 'submitted', round: roundOf(server) + 1, name, transport };
    }
    if (server.status === 'unknown' || server.status === 'rejected') return server;
    return evolveSubmitted(server, event);
  },
};

function evolveSubmitted(server: Submitted, event: ServerEvent): Server {
  const { type, data } = event;
  if (type === 'registry.server-rejected.v1') return { status: 'rejected', round: server.round };
  if (type === 'registry.catalogue-fetched.v1') {
    return server.status === 'submitted'
      ? { ...server, status: 'fetched', tools: review([], data.tools) }
      : { ...server, tools: review(server.tools, data.tools) };
  }
  return server.status === 'submitted' ? server : evolveReviewable(server, event);
}

function evolveReviewable(server: Reviewable, { type, data }: ServerEvent): Server {
  switch (type) {
    case 'registry.tool-classified.v1':
      return { ...server, tools: classify(server.tools, data.tool, data.class) };
    case 'registry.server-approved.v1':
      return { ...server, status: 'approved', approved: data.tools };
    case 'registry.server-suspended.v1':
      return server.status === 'approved' ? { ...server, status: 'suspended' } : server;
    case 'registry.server-resumed.v1':
      return server.status === 'suspended' ? { ...server, status: 'approved' } : server;
    default:
      return server;
  }
}

/** The server as it stands in intake; `server-not-found` for one that nobody submitted, `server-state-wrong` for a rejected one. */
export function requireSubmitted(server: Server): Submitted {
  if (server.status === 'unknown') throw new Refusal('server-not-found');
  if (server.status === 'rejected') throw wrongState('It was rejected: submit it again.');
  return server;
}

function submit(command: SubmitServer, server: Server): ServerEvent[] {
  if (server.status !== 'unknown' && server.status !== 'rejected') throw new Refusal('slug-taken');
  const { slug, name, description, transport } = command;
  return [{ type: 'registry.server-submitted.v1', data: { slug, name, description, transport } }];
}

function recordCatalogue(command: RecordCatalogue, server: Submitted): ServerEvent[] {
  requireSameRound(command.round, server);
  const { slug, serverInfo, tools } = command;
  return [{ type: 'registry.catalogue-fetched.v1', data: { slug, serverInfo, tools: [...tools] } }];
}

function classifyTool(command: ClassifyTool, server: Submitted): ServerEvent[] {
  const { slug, tool: name } = command;
  const tool = requireCatalogue(server).tools.find(({ definition }) => definition.name === name);
  if (tool === undefined) throw new Refusal('tool-not-in-catalogue');
  if (tool.decidedClass === command.class) return [];
  const data = { slug, tool: name, class: command.class };
  return [{ type: 'registry.tool-classified.v1', data }];
}

function approve(command: ApproveServer, submitted: Submitted): ServerEvent[] {
  const server = requireCatalogue(submitted);
  if (server.status === 'suspended')
    throw wrongState('It is suspended: resume or reject it first.');
  const { slug, catalogueDigest: reviewed } = command;
  const { name, transport } = server;
  const digestWith = (tools: readonly ApprovedTool[]): string =>
    reviewDigest({ slug, name, transportDigest: transportDigest(transport), tools });
  const tools = pin(server.tools);
  if (digestWith(tools) !== reviewed) throw new Refusal('catalogue-changed');
  if (server.status === 'approved' && digestWith(server.approved) === reviewed) return [];
  return [{ type: 'registry.server-approved.v1', data: { slug, name, transport, tools } }];
}

function requireCatalogue(server: Submitted): Reviewable {
  if (server.status === 'submitted') throw new Refusal('catalogue-missing');
  return server;
}

// The server was rejected and submitted anew while its old self was being asked.
function requireSameRound(round: number, server: Submitted): void {
  if (round !== server.round) throw wrongState('It was submitted anew meanwhile.');
}

function roundOf(server: Server): number {
  return server.status === 'unknown' ? 0 : server.round;
}

function wrongState(detail: string): Refusal {
  return new Refusal('server-state-wrong', { detail });
}
