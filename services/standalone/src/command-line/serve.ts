import type { Deployable } from '@gatehouse/platform';
import { exitCodes, Failure } from './exit-codes.ts';

// A process that hosts one service loads no other: a cluster of small processes would pay for it in memory, each anew.
const services: Readonly<Record<string, () => Promise<Deployable>>> = {
  identity: async () => (await import('@gatehouse/identity')).identityDeployable,
  policy: async () => (await import('@gatehouse/policy')).policyDeployable,
  registry: async () => (await import('@gatehouse/registry')).registryDeployable,
  audit: async () => (await import('@gatehouse/audit')).auditDeployable,
  admin: async () => (await import('@gatehouse/admin')).adminDeployable,
  gateway: async () => (await import('@gatehouse/gateway')).gatewayDeployable,
};

/** `gatehouse serve <service>`: the same as the service's own main.js. */
export async function serve(name: string): Promise<void> {
  const service = await serviceOf(name);
  await service.run(process.env);
}

/** `gatehouse rebuild <service>`: with the settings that the service is served with, while it is not. */
export async function rebuildOne(name: string): Promise<void> {
  const service = await serviceOf(name);
  if (!(await service.rebuild(process.env)))
    throw new Failure(`${name} keeps no read tables`, exitCodes.usage);
  process.stdout.write(`Folded anew from the logs: the read tables of ${name}.\n`);
}

function serviceOf(name: string): Promise<Deployable> {
  if (!Object.hasOwn(services, name))
    throw new Failure(`there is no service ${name}`, exitCodes.usage);
  return services[name]!();
}
