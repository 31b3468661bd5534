import type { CompiledLine } from './compile.ts';
import type { Decision, DecisionCode } from './decision.ts';

type Decided = Exclude<DecisionCode, 'no-role' | 'not-granted'>;

const consequence: Record<Decided, string> = {
  granted: 'so the tool is granted',
  'write-needs-write-mode': 'but this tool can change something and needs "write"',
  'mode-off': 'and no other role grants it',
  'explicit-deny': 'as an explicit deny, which no other role can outvote',
};

/** The decision that one line of one role made. */
export function decidedBy(code: Decided, line: CompiledLine): Decision {
  const { role, connector, pattern, mode } = line;
  const text = `Role "${role}" sets tools "${pattern}" of connector "${connector}" to "${mode}", ${consequence[code]}.`;
  return frozen({
    allow: code === 'granted',
    reason: { code, text, role, connector, pattern, mode },
  });
}

const nobody = { role: null, connector: null, pattern: null, mode: null };

const undecidedDecisions: Record<'no-role' | 'not-granted', Decision> = {
  'no-role': frozen({
    allow: false,
    reason: {
      code: 'no-role',
      text: 'The caller holds no role that exists, so nothing is granted.',
      ...nobody,
    },
  }),
  'not-granted': frozen({
    allow: false,
    reason: {
      code: 'not-granted',
      text: "None of the caller's roles names this tool, and what is not named is off.",
      ...nobody,
    },
  }),
};

/** The refusal that stands where no line said anything. */
export function undecided(code: 'no-role' | 'not-granted'): Decision {
  return undecidedDecisions[code];
}

function frozen(decision: Decision): Decision {
  Object.freeze(decision.reason);
  return Object.freeze(decision);
}
