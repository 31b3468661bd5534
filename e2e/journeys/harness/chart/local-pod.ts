import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ProcessDescription } from '../local-processes.ts';
import type { Container, Labels, PodTemplate, SecretItems, Volume } from './rendered-chart.ts';

/** What a pod finds around it in its cluster. */
export interface Surroundings {
  /** What a Secret holds at a key. */
  secret(name: string, key: string): Promise<Buffer>;
  configMap(name: string): Readonly<Record<string, string>>;
  /** Where on this machine a Service leads to. */
  addressOf(service: string, port: number): string;
}

interface MountedFile {
  readonly path: string;
  readonly content: Buffer | string;
  readonly mode?: number;
}

/** A pod of the chart, with its mounts in a folder of this machine, and its port on the loopback. */
export class LocalPod {
  readonly name: string;
  readonly labels: Labels;
  readonly container: Container;
  /** How long it has to end once it is told to. */
  readonly graceMs: number;
  /** Where it listens here, instead of the port that its container declares. */
  readonly port: number;
  readonly #folder: string;
  readonly #volumes: readonly Volume[];

  constructor(name: string, { metadata, spec }: PodTemplate, folder: string, port: number) {
    const [container, ...others] = spec.containers;
    if (container === undefined || others.length > 0)
      throw new Error(`${name} is not of one container`);
    this.name = name;
    this.labels = metadata.labels;
    this.container = container;
    this.graceMs = 1_000 * (spec.terminationGracePeriodSeconds ?? 30);
    this.port = port;
    this.#folder = folder;
    this.#volumes = spec.volumes;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  get declaredPort(): number | undefined {
    return this.container.ports?.[0]?.containerPort;
  }

  /** Where a path of the container lies here. */
  at(path: string): string {
    return join(this.#folder, path);
  }

  /** Whether its container could write here: what is mounted, and not to be read alone, is all that it can. */
  mayWrite(place: string): boolean {
    const [innermost] = this.container.volumeMounts
      .filter(({ mountPath }) => `${place}/`.startsWith(`${this.at(mountPath)}/`))
      .toSorted((a, b) => b.mountPath.length - a.mountPath.length);
    return innermost !== undefined && innermost.readOnly !== true;
  }

  /** What a probe of the chart asks. */
  probed(probe: 'startupProbe' | 'livenessProbe' | 'readinessProbe'): string {
    const asked = this.container[probe]?.httpGet;
    if (asked === undefined || asked.port !== this.container.ports?.[0]?.name)
      throw new Error(`${this.name} has no ${probe} on its port`);
    return `${this.url}${asked.path}`;
  }

  /** Puts everything in place that its volumes bring. */
  async mount(surroundings: Surroundings): Promise<void> {
    // A file may be mounted into what another volume is.
    const mounts = this.container.volumeMounts.toSorted(
      (a, b) => a.mountPath.length - b.mountPath.length,
    );
    for (const { name, mountPath, subPath } of mounts) {
      const volume = this.#volumes.find((its) => its.name === name);
      const files = volume === undefined ? [] : await filesOf(volume, surroundings);
      const target = this.at(mountPath);
      if (subPath === undefined) await mkdir(target, { recursive: true });
      for (const { path, content, mode } of files) {
        if (subPath !== undefined && path !== subPath) continue;
        const place = subPath === undefined ? join(target, path) : target;
        await mkdir(dirname(place), { recursive: true });
        await writeFile(place, content, { mode });
      }
    }
  }

  /** Its command and its environment, with the addresses and paths of this machine. */
  describe(surroundings: Surroundings): ProcessDescription {
    const said = this.container.env.map(({ name, value }) => {
      if (typeof value !== 'string') throw new Error(`${name} is no text for Kubernetes`);
      return [name, this.#local(value, surroundings)] as const;
    });
    const env = { TMPDIR: this.at('/tmp'), HOSTNAME: this.name, ...Object.fromEntries(said) };
    return { args: this.container.args, env };
  }

  #local(text: string, { addressOf }: Surroundings): string {
    const [, service, port] = /^http:\/\/([\w-]+):(\d+)$/.exec(text) ?? [];
    if (service !== undefined) return addressOf(service, Number(port));
    if (text === '0.0.0.0') return '127.0.0.1';
    if (text === String(this.declaredPort)) return String(this.port);
    const isMounted = this.container.volumeMounts.some(
      ({ mountPath }) => text === mountPath || text.startsWith(`${mountPath}/`),
    );
    return isMounted ? this.at(text) : text;
  }
}

async function filesOf(
  { configMap, projected, secret }: Volume,
  surroundings: Surroundings,
): Promise<readonly MountedFile[]> {
  const ofSecret = (
    name: string,
    { items }: SecretItems,
    mode: number,
  ): Promise<readonly MountedFile[]> =>
    Promise.all(
      items.map(async ({ key, path }) => ({
        path,
        content: await surroundings.secret(name, key),
        mode,
      })),
    );
  if (configMap !== undefined)
    return Object.entries(surroundings.configMap(configMap.name)).map(([path, content]) => ({
      path,
      content,
    }));
  if (secret !== undefined) return ofSecret(secret.secretName, secret, secret.defaultMode);
  const { defaultMode = 0, sources = [] } = projected ?? {};
  const brought = sources.map((source) => ofSecret(source.secret.name, source.secret, defaultMode));
  return (await Promise.all(brought)).flat();
}
