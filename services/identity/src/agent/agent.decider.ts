import type { EventOf } from '@gatehouse/event-catalog';
import type { Decider } from '@gatehouse/event-sourcing';
import { Refusal } from '@gatehouse/problem-catalog';

export type AgentEvent = EventOf<
  | 'identity.agent-registered.v1'
  | 'identity.agent-renamed.v1'
  | 'identity.agent-disabled.v1'
  | 'identity.agent-enabled.v1'
>;

export type Agent =
  | { readonly status: 'unknown' }
  | {
      readonly status: 'active' | 'disabled';
      readonly name: string;
      readonly description: string;
    };

export type AgentCommand =
  | {
      readonly type: 'register-agent';
      readonly agentId: string;
      readonly name: string;
      readonly description: string;
      readonly ownerUserId: string | null;
    }
  | {
      readonly type: 'rename-agent';
      readonly agentId: string;
      readonly name: string;
      readonly description: string;
    }
  | { readonly type: 'disable-agent'; readonly agentId: string; readonly reason: string }
  | { readonly type: 'enable-agent'; readonly agentId: string };

/** The stream of an agent. */
export const agentStream = (agentId: string): string => `agent-${agentId}`;

/** A robot identity: registered once, then active or locked out; never deleted, for evidence names it. */
export const agentDecider: Decider<Agent, AgentCommand, AgentEvent> = {
  initialState: { status: 'unknown' },
  decide(command, agent) {
    const { agentId } = command;
    if (command.type === 'register-agent') {
      if (agent.status !== 'unknown') return [];
      const { name, description, ownerUserId } = command;
      const data = { agentId, name, description, ownerUserId };
      return [{ type: 'identity.agent-registered.v1', data }];
    }
    if (agent.status === 'unknown') throw new Refusal('agent-unknown');
    switch (command.type) {
      case 'rename-agent': {
        const { name, description } = command;
        if (name === agent.name && description === agent.description) return [];
        return [{ type: 'identity.agent-renamed.v1', data: { agentId, name, description } }];
      }
      case 'disable-agent':
        if (agent.status === 'disabled') return [];
        return [{ type: 'identity.agent-disabled.v1', data: { agentId, reason: command.reason } }];
      case 'enable-agent':
        if (agent.status === 'active') return [];
        return [{ type: 'identity.agent-enabled.v1', data: { agentId } }];
    }
  },
  evolve(agent, { type, data }) {
    if (type === 'identity.agent-registered.v1')
      return { status: 'active', name: data.name, description: data.description };
    if (agent.status === 'unknown') return agent;
    switch (type) {
      case 'identity.agent-renamed.v1':
        return { ...agent, name: data.name, description: data.description };
      case 'identity.agent-disabled.v1':
        return { ...agent, status: 'disabled' };
      case 'identity.agent-enabled.v1':
        return { ...agent, status: 'active' };
    }
  },
};
