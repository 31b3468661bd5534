import type { CatalogueState, RawTool, ToolClass, Transport } from '@gatehouse/event-catalog';
import { compileArguments, type ArgumentCheck } from './argument-check.ts';

/** A tool as the gate serves it: the approved copy, and the check of its arguments, compiled when first needed. */
export class ServedTool {
  readonly server: string;
  readonly name: string;
  readonly class: ToolClass;
  readonly definition: RawTool;
  #check: ArgumentCheck | undefined;

  constructor(server: string, definition: RawTool, toolClass: ToolClass) {
    this.server = server;
    this.name = definition.name;
    this.class = toolClass;
    this.definition = definition;
  }

  /** Throws `arguments-invalid` where the arguments break the approved schema, or the schema cannot be checked at all. */
  checkArguments(given: unknown): void {
    this.#check ??= compileArguments(this.definition['inputSchema']);
    this.#check(given);
  }
}

/** A server of the catalogue, as far as the gate needs it. */
export interface ServedServer {
  readonly slug: string;
  readonly inService: boolean;
  readonly transport: Transport;
  readonly tools: ReadonlyMap<string, ServedTool>;
}

/** Makes a catalogue entry ready to be served. */
export function servedServer({ slug, inService, transport, tools }: CatalogueState): ServedServer {
  return {
    slug,
    inService,
    transport,
    tools: new Map(
      tools.map(({ definition, class: toolClass }) => [
        definition.name,
        new ServedTool(slug, definition, toolClass),
      ]),
    ),
  };
}
