import { BlockList } from 'node:net';
import type { LocalPod } from './local-pod.ts';
import type {
  IpBlock,
  Labels,
  Manifest,
  NetworkPolicySpec,
  Peer,
  PolicyPort,
  Selector,
} from './rendered-chart.ts';

/** Who is at one end of a call; a pod has labels, and whoever has none is no pod. */
export interface Party {
  readonly address: string;
  readonly labels?: Labels;
  /** The labels of its namespace; it is of that of the policies where nothing is said. */
  readonly namespace?: Labels;
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[];
}
/** Where a call goes to. */
export interface Aim {
  readonly port: number;
  readonly protocol: 'TCP' | 'UDP';
}
type Direction = 'Ingress' | 'Egress';
interface Rule {
  readonly peers: readonly Peer[];
  readonly ports: readonly PolicyPort[];
}

/** What an ipBlock may mean of a pod here. */
const ADDRESS_OF_A_POD = '10.0.0.1';
const OWN_NAMESPACE: Labels = { 'kubernetes.io/metadata.name': 'default' };

/** Whether everything that is asked for is among these labels. */
export function meets(labels: Labels, asked: Labels): boolean {
  return Object.entries(asked).every(([key, value]) => labels[key] === value);
}

/** Whether a selector means who has these labels; one that asks for nothing means everybody. */
export function selects(selector: Selector | null | undefined, labels: Labels): boolean {
  return (
    meets(labels, selector?.matchLabels ?? {}) &&
    (selector?.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const value = labels[key];
      switch (operator) {
        case 'In':
          return value !== undefined && values.includes(value);
        case 'NotIn':
          return value === undefined || !values.includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
      }
    })
  );
}

/** Whether the NetworkPolicies among these manifests let this call pass, as Kubernetes reads them: out of the caller, and in to the called. */
export function letsPass(
  manifests: readonly Manifest[],
  caller: Party,
  called: Party,
  aim: Aim,
): boolean {
  const policies = manifests
    .filter(({ kind }) => kind === 'NetworkPolicy')
    .map(({ spec }) => spec as unknown as NetworkPolicySpec);
  const isLet = (direction: Direction, whose: Party, other: Party): boolean => {
    const holding = policies.filter(
      (policy) => isHeldBy(policy, whose) && typesOf(policy).includes(direction),
    );
    // Whom no policy of this direction means, it leaves alone.
    if (holding.length === 0) return true;
    return holding
      .flatMap((policy) => rulesOf(policy, direction))
      .some(({ peers, ports }) => isAmong(peers, other) && isOpen(ports, called, aim));
  };
  return isLet('Egress', caller, called) && isLet('Ingress', called, caller);
}

/** Whether the NetworkPolicies of the chart let a pod call this port of this machine: one of another pod, or of something outside. */
export function mayCall(
  manifests: readonly Manifest[],
  pods: readonly LocalPod[],
  caller: LocalPod,
  port: number,
): boolean {
  const partyOf = ({ labels, container }: LocalPod): Party => ({
    address: ADDRESS_OF_A_POD,
    labels,
    ports: container.ports ?? [],
  });
  const called = pods.find((pod) => pod.port === port);
  return letsPass(
    manifests,
    partyOf(caller),
    called === undefined ? { address: '127.0.0.1' } : partyOf(called),
    { port: called?.declaredPort ?? port, protocol: 'TCP' },
  );
}

function isHeldBy({ podSelector }: NetworkPolicySpec, { labels, namespace }: Party): boolean {
  return labels !== undefined && namespace === undefined && selects(podSelector, labels);
}

/** Where it does not say: what comes in, always; what goes out, if it has a rule for that. */
function typesOf({ policyTypes, egress }: NetworkPolicySpec): readonly Direction[] {
  if (policyTypes != null && policyTypes.length > 0) return policyTypes;
  return (egress ?? []).length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
}

/** A rule that says nothing of peers, or of ports, says it of all. */
function rulesOf({ ingress, egress }: NetworkPolicySpec, direction: Direction): readonly Rule[] {
  return direction === 'Ingress'
    ? (ingress ?? []).map((rule) => ({ peers: rule?.from ?? [], ports: rule?.ports ?? [] }))
    : (egress ?? []).map((rule) => ({ peers: rule?.to ?? [], ports: rule?.ports ?? [] }));
}

function isAmong(peers: readonly Peer[], party: Party): boolean {
  return peers.length === 0 || peers.some((peer) => isMeant(peer, party));
}

function isMeant({ ipBlock, podSelector, namespaceSelector }: Peer, party: Party): boolean {
  if (ipBlock != null) return isWithin(ipBlock, party.address);
  if (party.labels === undefined || (podSelector ?? namespaceSelector) == null) return false;
  const isOfNamespace =
    namespaceSelector == null
      ? party.namespace === undefined
      : selects(namespaceSelector, party.namespace ?? OWN_NAMESPACE);
  return isOfNamespace && selects(podSelector, party.labels);
}

function isWithin({ cidr, except = [] }: IpBlock, address: string): boolean {
  const holds = (range: string): boolean => {
    const [net = '', prefix = ''] = range.split('/');
    const list = new BlockList();
    list.addSubnet(net, Number(prefix), net.includes(':') ? 'ipv6' : 'ipv4');
    return list.check(address, address.includes(':') ? 'ipv6' : 'ipv4');
  };
  return holds(cidr) && !except.some(holds);
}

function isOpen(ports: readonly PolicyPort[], called: Party, aim: Aim): boolean {
  const isMeantBy = ({ port, endPort }: PolicyPort): boolean => {
    if (port == null) return true;
    if (typeof port === 'string')
      return (called.ports ?? []).some(
        ({ name, containerPort }) => name === port && containerPort === aim.port,
      );
    return port <= aim.port && aim.port <= (endPort ?? port);
  };
  return (
    ports.length === 0 ||
    ports.some((its) => (its.protocol ?? 'TCP') === aim.protocol && isMeantBy(its))
  );
}
