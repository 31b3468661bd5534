import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, stat, symlink } from 'node:fs/promises';
import { basename, delimiter, dirname, join, matchesGlob, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { environmentSaid, stagesOfDockerfile, type Instruction, type Stage } from './image.ts';

const run = promisify(execFile);
const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const LONGEST_STEP_MS = 240_000;

/** A stage of the Dockerfile, built into a folder of this machine. */
export interface BuiltImage {
  /** What is `/` in a container of it. */
  readonly root: string;
  readonly workdir: string;
  readonly environment: Readonly<Record<string, string>>;
  /** What a container runs that is told nothing. */
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

type Layer = { -readonly [Property in keyof BuiltImage]: BuiltImage[Property] };

/**
 * Replays infra/docker/Dockerfile without Docker, for what it says about files: every stage in a folder of its own, on the
 * Node of the tests instead of its base image. It knows the instructions that this Dockerfile has, and refuses any other.
 */
export class ImageBuild {
  readonly #folder: string;
  readonly #stages = stagesOfDockerfile();
  readonly #built = new Map<string, Promise<BuiltImage>>();
  #context: Promise<readonly string[]> | undefined;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Builds a stage, and before it those that it needs, each once. */
  build(name: string): Promise<BuiltImage> {
    const stage = this.#stages.get(name);
    if (stage === undefined) throw new Error(`the Dockerfile has no stage ${name}`);
    const building = this.#built.get(name) ?? this.#replay(stage);
    this.#built.set(name, building);
    return building;
  }

  async #replay({ name, base, instructions }: Stage): Promise<BuiltImage> {
    const root = join(this.#folder, name);
    await mkdir(root, { recursive: true });
    // As BuildKit does: what a stage takes from others is built meanwhile.
    const others = instructions.flatMap(({ said }) => /^--from=(\S+)/.exec(said)?.[1] ?? []);
    const [below] = await Promise.all(
      [base, ...others].map((other) =>
        this.#stages.has(other) ? this.build(other) : fromElsewhere(other),
      ),
    );
    if (below !== undefined) await copyTree(below.root, root);
    const nothing = { workdir: '/', environment: {}, entrypoint: [], command: [] };
    const layer: Layer = { ...nothing, ...below, root };
    for (const instruction of instructions) await this.#follow(instruction, layer);
    return layer;
  }

  async #follow({ keyword, said }: Instruction, layer: Layer): Promise<void> {
    switch (keyword) {
      case 'WORKDIR':
        layer.workdir = said;
        await mkdir(join(layer.root, said), { recursive: true });
        return;
      case 'ENV':
        layer.environment = { ...layer.environment, ...environmentSaid(said) };
        return;
      case 'COPY':
        return this.#copy(said, layer);
      case 'RUN':
        for (const step of said.split(' && ')) await follow(step, layer);
        return;
      case 'ENTRYPOINT':
        layer.entrypoint = JSON.parse(said) as string[];
        layer.command = [];
        return;
      case 'CMD':
        layer.command = JSON.parse(said) as string[];
        return;
      // What they say is for whoever runs a container.
      case 'USER':
      case 'EXPOSE':
      case 'HEALTHCHECK':
      case 'VOLUME':
        return;
      default:
        throw new Error(`this replay of the Dockerfile does not know ${keyword}`);
    }
  }

  async #copy(said: string, layer: Layer): Promise<void> {
    const words = said.split(' ');
    const flags = words.filter((word) => word.startsWith('--'));
    const paths = words.slice(flags.length);
    const [, from] = /^--from=(\S+)$/.exec(flags[0] ?? '') ?? [];
    if (flags.length !== (from === undefined ? 0 : 1) || paths.length < 2)
      throw new Error(`this replay of the Dockerfile does not know how to COPY ${said}`);
    const target = paths.at(-1) ?? '';
    const at = target.startsWith('/') ? target : join(layer.workdir, target);
    for (const source of paths.slice(0, -1)) {
      if (from === undefined) await this.#copyFromContext(source, join(layer.root, at));
      else await copyTree(join((await this.build(from)).root, source), join(layer.root, at));
    }
  }

  async #copyFromContext(source: string, target: string): Promise<void> {
    this.#context ??= filesOfContext();
    const wanted = (await this.#context).filter(
      (file) => file === source || file.startsWith(`${source}/`),
    );
    if (wanted.length === 0) throw new Error(`there is no ${source} that an image could be given`);
    for (const file of wanted) {
      // A folder's contents go to the target; a file goes into it where it is written as a folder.
      const within = target.endsWith('/') ? basename(file) : '';
      const place = join(target, file === source ? within : relative(source, file));
      await mkdir(dirname(place), { recursive: true });
      await copyFile(join(ROOT, file), place);
    }
  }
}

/** A base from elsewhere brings Node, and that is here already. */
async function fromElsewhere(base: string): Promise<undefined> {
  if (!base.startsWith('node:')) throw new Error(`${base} cannot be had without Docker`);
}

/** What a build is sent: what a clean clone holds, and what is about to be committed; but for what .dockerignore hides. */
async function filesOfContext(): Promise<readonly string[]> {
  const list = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const { stdout } = await run('git', list, { cwd: ROOT, maxBuffer: 1e8 });
  const ignored = (await readFile(join(ROOT, '.dockerignore'), 'utf8'))
    .split('\n')
    .filter((pattern) => pattern !== '' && !pattern.startsWith('#'));
  const odd = ignored.find((pattern) => pattern.startsWith('!'));
  if (odd !== undefined) throw new Error(`this replay does not know how to ignore ${odd}`);
  const known = new Map<string, boolean>();
  // A pattern hides a folder with all that is in it.
  const isIgnored = (path: string): boolean => {
    if (path === '.') return false;
    const before = known.get(path);
    if (before !== undefined) return before;
    const hidden =
      isIgnored(dirname(path)) || ignored.some((pattern) => matchesGlob(path, pattern));
    known.set(path, hidden);
    return hidden;
  };
  const files = stdout.split('\0').filter((file) => file !== '' && !isIgnored(file));
  // What is deleted and not committed yet is still listed.
  return files.filter((file) => existsSync(join(ROOT, file)));
}

async function copyTree(from: string, to: string): Promise<void> {
  if (!(await stat(from)).isDirectory()) throw new Error(`${from} is no folder`);
  await mkdir(to, { recursive: true });
  await run('cp', ['-a', `${from}/.`, to]);
}

/** One command of a `RUN`. */
async function follow(step: string, layer: Layer): Promise<void> {
  const at = (path: string): string => join(layer.root, path);
  const [, source, link] = /^ln -s (\/\S+) (\/\S+)$/.exec(step) ?? [];
  if (source !== undefined && link !== undefined) {
    await mkdir(dirname(at(link)), { recursive: true });
    // Relative, so that it leads to the same in the copy that the next stage is.
    await symlink(relative(dirname(at(link)), at(source)), at(link));
    return;
  }
  // Its owner is nobody here: to give files away takes root.
  const [, mode, made] = /^install -d -m (\d+) -o node -g node (\/\S+)$/.exec(step) ?? [];
  if (mode !== undefined && made !== undefined) {
    await mkdir(at(made), { recursive: true });
    await chmod(at(made), Number.parseInt(mode, 8));
    return;
  }
  const isOfTheWorkdir = /^(npm ci|npx tsc|rm -rf)( [^\s/.][^\s;|&$`]*)+$/.test(step);
  if (!isOfTheWorkdir || step.includes('..'))
    throw new Error(`this replay of the Dockerfile does not know how to RUN ${step}`);
  const env = { ...environmentOfBuild(), ...layer.environment };
  const options = { cwd: at(layer.workdir), env, maxBuffer: 1e8, timeout: LONGEST_STEP_MS };
  await run('sh', ['-c', step], options).catch((error: Error & { readonly stdout?: string }) => {
    throw new Error(`${error.message}\n${error.stdout}`);
  });
}

/** Of ours only what leads npm to its registry and its cache, and no path into this checkout, where every tool lies. */
function environmentOfBuild(): Record<string, string> {
  const ofNpm =
    /^(npm_config_(registry|cache|userconfig|globalconfig|cafile|https?_?proxy|no_?proxy)|https?_proxy|no_proxy|NODE_EXTRA_CA_CERTS|HOME|TMPDIR)$/i;
  const kept = Object.entries(process.env).filter(([name]) => ofNpm.test(name));
  const path = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((folder) => !`${folder}/`.startsWith(ROOT));
  return {
    ...(Object.fromEntries(kept) as Record<string, string>),
    PATH: [dirname(process.execPath), ...path].join(delimiter),
    npm_config_prefer_offline: 'true',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
  };
}
