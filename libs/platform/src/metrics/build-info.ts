import { gauge } from './metric.ts';
import { version } from './registry.ts';

const buildInfo = gauge({
  name: 'gatehouse_build_info',
  help: 'Always 1: which version of a service this process hosts.',
  labels: ['version', 'service'],
});

/** Tells which services this process hosts. */
export function tellHosted(services: readonly string[]): void {
  for (const service of services) buildInfo.set({ version, service }, 1);
}
