import { given } from '@gatehouse/event-sourcing';
import { describe, it } from 'vitest';
import { agentDecider, type AgentEvent } from './agent.decider.ts';

const agentId = 'a1';
const bot = { agentId, name: 'nightly', description: 'runs at night', ownerUserId: 'u1' };
const registered: AgentEvent = { type: 'identity.agent-registered.v1', data: bot };
const disabled: AgentEvent = {
  type: 'identity.agent-disabled.v1',
  data: { agentId, reason: 'odd behaviour' },
};
const disable = { type: 'disable-agent', agentId, reason: 'odd behaviour' } as const;
const enable = { type: 'enable-agent', agentId } as const;

describe('an agent', () => {
  it('is registered once', () => {
    given(agentDecider)
      .when({ type: 'register-agent', ...bot })
      .emits(registered);
    given(agentDecider, registered)
      .when({ type: 'register-agent', ...bot })
      .emitsNothing();
  });

  it('is renamed, but not to what it is called already', () => {
    const rename = { type: 'rename-agent', agentId, name: 'daily', description: '' } as const;
    const renamed: AgentEvent = {
      type: 'identity.agent-renamed.v1',
      data: { agentId, name: 'daily', description: '' },
    };
    given(agentDecider, registered).when(rename).emits(renamed);
    given(agentDecider, registered, renamed).when(rename).emitsNothing();
  });

  it('is disabled and enabled, each once', () => {
    given(agentDecider, registered).when(disable).emits(disabled);
    given(agentDecider, registered, disabled).when(disable).emitsNothing();
    given(agentDecider, registered, disabled)
      .when(enable)
      .emits({ type: 'identity.agent-enabled.v1', data: { agentId } });
    given(agentDecider, registered).when(enable).emitsNothing();
  });

  it.each([
    disable,
    enable,
    { type: 'rename-agent', agentId, name: 'x', description: '' } as const,
  ])('that nobody registered is refused: $type', (command) => {
    given(agentDecider).when(command).refuses('agent-unknown');
  });
});
