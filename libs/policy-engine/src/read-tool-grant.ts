import { toolGrantSchema, type ToolGrant } from '@gatehouse/event-catalog';

/**
 * Reads a tool's mode as people write it in YAML. YAML 1.1 parsers deliver a bare `off` as the boolean false, YAML 1.2
 * parsers as text: both mean off. Everything else that is no mode, `true`, `on` and `yes` among them, is refused.
 */
export function readToolGrant(written: unknown): ToolGrant {
  return toolGrantSchema.parse(offFromFalse(written));
}

function offFromFalse(written: unknown): unknown {
  if (written === false) return 'off';
  if (typeof written !== 'object' || written === null || !('mode' in written)) return written;
  return written.mode === false ? { ...written, mode: 'off' } : written;
}
