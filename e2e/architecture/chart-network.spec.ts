import { describe, expect, test } from 'vitest';
import { letsPass, type Party } from '../journeys/harness/chart/network-rules.ts';
import { hasHelm, renderChart } from '../journeys/harness/chart/rendered-chart.ts';
import { asFlags } from './chart-installations.ts';
import { deployedServices } from './deployment.ts';

const OWNERS = ['identity', 'policy', 'registry', 'audit'];
const WITH_DATABASE = ['admin', ...OWNERS];
const WITH_BUS = ['gateway', ...WITH_DATABASE];
const JOBS = ['migrate', 'topics'];
/** Of whatever else there is, in this cluster and outside of it. */
const OTHER_PORTS = [22, 80, 443, 4318, 5432, 6443, 8081, 9092];

const inNamespace = (name: string, address: string, labels: Party['labels'] = {}): Party => ({
  address,
  labels,
  namespace: { 'kubernetes.io/metadata.name': name },
});
const elsewhere: Readonly<Record<string, Party>> = {
  'a server of the world': { address: '203.0.113.7' },
  'a machine of the house': { address: '192.168.3.4' },
  'the metadata of the cloud': { address: '169.254.169.254' },
  'the cluster itself': { address: '10.96.0.1' },
  'a pod of others': inNamespace('others', '10.1.0.9'),
  'a pod of the namespace that is not of the chart': { address: '10.1.0.8', labels: {} },
};
const database = { address: '198.51.100.5' };
const broker = { address: '198.51.100.9' };
const collector = { address: '198.51.100.13' };
const prometheus = inNamespace('monitoring', '10.1.0.7');
const nameServer = inNamespace('kube-system', '10.1.0.2', { 'k8s-app': 'kube-dns' });

// By the rules alone, read as Kubernetes reads them; the journey of the chart looks whom its processes call.
describe.skipIf(!hasHelm)('by the NetworkPolicies of the chart', () => {
  const told = [
    'networkPolicy.database[0].ipBlock.cidr=198.51.100.5/32',
    'networkPolicy.bus[0].ipBlock.cidr=198.51.100.9/32',
    'networkPolicy.tracing[0].ipBlock.cidr=198.51.100.13/32',
    'networkPolicy.monitoring[0].namespaceSelector.matchLabels.kubernetes\\.io/metadata\\.name=monitoring',
    'tracing.endpoint=http://collector.example.com:4318',
  ];
  const asItComes = installed([]);
  const narrowed = installed(told);

  test('who calls whom is as the services need it, and on their port alone', () => {
    for (const { pods, passes } of [asItComes, narrowed])
      for (const called of deployedServices)
        for (const port of [8080, ...OTHER_PORTS]) {
          const callers = [...pods.keys()].filter((caller) => passes(caller, called, port));
          const expected = port === 8080 && OWNERS.includes(called) ? ['admin'] : [];
          expect([called, port, callers]).toEqual([called, port, expected]);
        }
  });

  test('whoever comes reaches the gateway and admin, and none that owns or prepares anything', () => {
    const reached = ({ pods, passes }: Installed, caller: Party): string[] =>
      [...pods.keys()].filter((called) => passes(caller, called, 8080)).toSorted();
    expect(reached(asItComes, inNamespace('ingress-nginx', '10.1.0.3'))).toEqual([
      'admin',
      'gateway',
    ]);
    expect(reached(asItComes, elsewhere['a server of the world']!)).toEqual([]);
    // All but Prometheus, where it is told who that is.
    expect(reached(asItComes, prometheus)).toEqual(['admin', 'gateway']);
    expect(reached(narrowed, prometheus)).toEqual([...narrowed.pods.keys()].toSorted());
    for (const { pods, passes } of [asItComes, narrowed])
      for (const called of pods.keys())
        for (const port of OTHER_PORTS) expect(passes(prometheus, called, port)).toBe(false);
  });

  test.each([
    ['the database', database, 5432, [...WITH_DATABASE, 'migrate']],
    ['the brokers', broker, 9092, [...WITH_BUS, 'topics']],
    ['the collector of traces', collector, 4318, WITH_BUS],
  ])('only whom it is for reaches %s, and nothing else by that port', (_, it, port, users) => {
    const { pods, passes } = narrowed;
    const callersOf = (called: Party): string[] =>
      [...pods.keys()].filter((caller) => passes(caller, called, port)).toSorted();
    expect(callersOf(it)).toEqual(users.toSorted());
    for (const [name, other] of Object.entries(elsewhere))
      expect([name, callersOf(other)]).toEqual([name, []]);
  });

  test('the world is open to the gateway and the registry, on 443, and nothing inside of the house is', () => {
    const { pods, passes } = narrowed;
    const reached = [...pods.keys()].flatMap((caller) =>
      Object.entries(elsewhere).flatMap(([name, called]) =>
        [53, 8080, ...OTHER_PORTS]
          // Of a pod, 53 may be that of the name server.
          .filter((port) => !(port === 53 && called.labels !== undefined))
          .filter((port) => passes(caller, called, port))
          .map((port) => `${caller} to ${name} on ${port}`),
      ),
    );
    expect(reached.toSorted()).toEqual([
      'gateway to a server of the world on 443',
      'registry to a server of the world on 443',
    ]);
  });

  test('everybody may ask the name server', () => {
    for (const { pods, passes } of [asItComes, narrowed])
      for (const caller of pods.keys())
        for (const protocol of ['UDP', 'TCP'] as const)
          expect([caller, passes(caller, nameServer, 53, protocol)]).toEqual([caller, true]);
  });
});

interface Installed {
  /** By their components. */
  readonly pods: ReadonlyMap<string, Party>;
  passes(
    caller: string | Party,
    called: string | Party,
    port: number,
    protocol?: 'TCP' | 'UDP',
  ): boolean;
}

function installed(sets: readonly string[]): Installed {
  const manifests = hasHelm ? renderChart('gate', asFlags(sets)) : [];
  const pods = new Map(
    manifests.flatMap(({ spec }) => {
      if (spec?.template === undefined) return [];
      const { labels } = spec.template.metadata;
      const ports = spec.template.spec.containers.flatMap((container) => container.ports ?? []);
      const pod: Party = { address: '10.1.0.1', labels, ports };
      return [[labels['app.kubernetes.io/component'] ?? '', pod] as const];
    }),
  );
  if (hasHelm)
    expect([...pods.keys()].toSorted()).toEqual([...deployedServices, ...JOBS].toSorted());
  const partyOf = (who: string | Party): Party => (typeof who === 'string' ? pods.get(who)! : who);
  return {
    pods,
    passes: (caller, called, port, protocol = 'TCP') =>
      letsPass(manifests, partyOf(caller), partyOf(called), { port, protocol }),
  };
}
