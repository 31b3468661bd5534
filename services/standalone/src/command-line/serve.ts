import {
  rebuildService,
  runService,
  type ConfigSection,
  type Deployable,
} from '@gatehouse/platform';
import { exitCodes, Failure } from './exit-codes.ts';

type Use = <Section extends ConfigSection>(deployable: Deployable<Section>) => Promise<void>;

// A process that hosts one service loads no other: a cluster of small processes would pay for it in memory, each anew.
const services: Readonly<Record<string, (use: Use) => Promise<void>>> = {
  async identity(use) {
    const { identityConfig, identityMigrations, identityService } =
      await import('@gatehouse/identity');
    await use({
      name: 'identity',
      section: identityConfig,
      compose: identityService,
      needs: identityMigrations,
    });
  },
  async policy(use) {
    const { policyConfig, policyMigrations, policyService } = await import('@gatehouse/policy');
    await use({
      name: 'policy',
      section: policyConfig,
      compose: policyService,
      needs: policyMigrations,
    });
  },
  async registry(use) {
    const { registryConfig, registryMigrations, registryService } =
      await import('@gatehouse/registry');
    await use({
      name: 'registry',
      section: registryConfig,
      compose: registryService,
      needs: registryMigrations,
    });
  },
  async audit(use) {
    const { auditConfig, auditMigrations, auditService } = await import('@gatehouse/audit');
    await use({
      name: 'audit',
      section: auditConfig,
      compose: auditService,
      needs: auditMigrations,
    });
  },
  async admin(use) {
    const { adminConfig, adminMigrations, adminService } = await import('@gatehouse/admin');
    await use({
      name: 'admin',
      section: adminConfig,
      compose: adminService,
      needs: adminMigrations,
    });
  },
  async gateway(use) {
    const { gatewayConfig, gatewayService } = await import('@gatehouse/gateway');
    await use({ name: 'gateway', section: gatewayConfig, compose: gatewayService });
  },
};

/** `gatehouse serve <service>`: the same as the service's own main.js. */
export async function serve(name: string): Promise<void> {
  await serviceOf(name)((deployable) => runService(deployable, process.env));
}

/** `gatehouse rebuild <service>`: with the settings that the service is served with, while it is not. */
export async function rebuildOne(name: string): Promise<void> {
  await serviceOf(name)(async (deployable) => {
    if (!(await rebuildService(deployable, process.env)))
      throw new Failure(`${name} keeps no read tables`, exitCodes.usage);
  });
  process.stdout.write(`Folded anew from the logs: the read tables of ${name}.\n`);
}

function serviceOf(name: string): (use: Use) => Promise<void> {
  const service = services[name];
  if (service === undefined) throw new Failure(`there is no service ${name}`, exitCodes.usage);
  return service;
}
