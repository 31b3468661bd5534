import type { ToolCall } from '../tool-call.ts';
import { unknownTool } from './resolve-tool.ts';

/** Only servers in service are served. */
export function checkCatalogueState(call: ToolCall): void {
  if (call.server?.inService !== true) throw unknownTool(call, 'the server is suspended');
}
