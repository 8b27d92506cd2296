/** Podman as this machine can run it: containers, images and volumes of one test, all below a folder of their own. */
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Ends, serverFolder } from './server.ts';

const run = promisify(execFile);
const MAX_OUTPUT = 16 * 1024 * 1024;
const COMMAND_MS = 180_000;

export interface Podman {
  readonly folder: string;
  readonly env: Readonly<Record<string, string>>;
  /** @returns standard output; @throws with what it wrote to standard error */
  podman(...args: readonly string[]): Promise<string>;
  exec(path: string, args: readonly string[], cwd?: string): Promise<string>;
}

/** Ends with the test: every container of it is removed, and its storage with it. */
export function podmanFor(ends: Ends): Podman {
  const { folder } = serverFolder(ends);
  const storage = join(folder, 'containers.conf');
  mkdirSync(join(folder, 'root'));
  // What no service manager and no right to raise limits leave: cgroups and limits are the machine's own.
  writeFileSync(
    storage,
    `[containers]
default_ulimits = ["nofile=8192:8192", "nproc=4096:4096"]
log_driver = "k8s-file"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
`,
  );
  const conf = join(folder, 'storage.conf');
  writeFileSync(
    conf,
    `[storage]\ndriver = "overlay"\ngraphroot = "${join(folder, 'root')}"\nrunroot = "${join(folder, 'run')}"\n`,
  );
  const env = { ...process.env, CONTAINERS_CONF: storage, CONTAINERS_STORAGE_CONF: conf } as Record<string, string>;
  const exec = async (path: string, args: readonly string[], cwd?: string): Promise<string> => {
    const { stdout } = await run(path, [...args], { env, cwd, maxBuffer: MAX_OUTPUT, timeout: COMMAND_MS });
    return stdout;
  };
  const podman = (...args: readonly string[]): Promise<string> => exec('podman', args);
  ends.after(async () => {
    await podman('rm', '--all', '--force', '--time', '5').catch(() => undefined);
    await podman('volume', 'rm', '--all', '--force').catch(() => undefined);
    await podman('rmi', '--all', '--force').catch(() => undefined);
  });
  return { folder, env, podman, exec };
}
