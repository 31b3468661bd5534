import type { Deployable } from '@gatehouse/platform';
import { exitCodes, Failure } from './exit-codes.ts';
import { whyUnreachable } from '../why-unreachable.ts';

// A process that hosts one service loads no other: a cluster of small processes would pay for it in memory, each anew.
const services: Readonly<Record<string, () => Promise<Deployable>>> = {
  identity: async () => (await import('@gatehouse/identity')).identityDeployable,
  policy: async () => (await import('@gatehouse/policy')).policyDeployable,
  registry: async () => (await import('@gatehouse/registry')).registryDeployable,
  audit: async () => (await import('@gatehouse/audit')).auditDeployable,
  admin: async () => (await import('@gatehouse/admin')).adminDeployable,
  gateway: async () => (await import('@gatehouse/gateway')).gatewayDeployable,
};

/** What there is to serve. */
export const serviceNames = Object.keys(services);

/** `gatehouse serve <service>`: the same as the service's own main.js. */
export async function serve(name: string): Promise<void> {
  const service = await serviceOf(name);
  await service.run(process.env);
}

/** `gatehouse rebuild <service>`: with the settings that the service is served with, while it is not. */
export async function rebuildOne(name: string): Promise<void> {
  const service = await serviceOf(name);
  const rebuilt = await service.rebuild(process.env).catch((error: unknown) => {
    const why = whyUnreachable(error);
    if (why === undefined) throw error;
    throw new Failure(
      `the database or the bus of ${name} (GATEHOUSE_DATABASE_URL, GATEHOUSE_BUS_URL) cannot be reached: ${why}`,
    );
  });
  if (!rebuilt) throw new Failure(`${name} keeps no read tables`, exitCodes.usage);
  process.stdout.write(`Folded anew from the logs: the read tables of ${name}.\n`);
}

function serviceOf(name: string): Promise<Deployable> {
  if (!Object.hasOwn(services, name))
    throw new Failure(
      `there is no service ${name}: there are ${serviceNames.join(', ')}`,
      exitCodes.usage,
    );
  return services[name]!();
}
