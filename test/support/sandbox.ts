/**
 * A process as the service's unit and the container image confine it: a root folder of its own that holds Node, the
 * program and the C library, all of it read-only but the data folder; no shell; a user without any capability.
 */
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');
/** nobody */
const USER = 65_534;

const ENTER = `set -eu
root=$1 repository=$2 data=$3; shift 3
mount --make-rprivate /
mount -t tmpfs -o size=1m,mode=755 tmpfs "$root"
bind() { mkdir -p "$root$1"; mount --bind "$1" "$root$1"; mount -o remount,bind,$2 "$root$1"; }
for folder in /lib /lib64 /usr/lib "$repository"; do [ ! -d "$folder" ] || bind "$folder" ro,nosuid; done
mkdir -p "$root/dev" "$root/proc"
for device in null urandom; do : > "$root/dev/$device"; mount --bind /dev/$device "$root/dev/$device"; done
mount -t proc -o subset=pid,hidepid=invisible,nosuid,nodev,noexec proc "$root/proc"
bind "$data" rw,nosuid,nodev,noexec
mount -o remount,ro "$root"
exec setpriv --no-new-privs --inh-caps=-all --bounding-set=-all,+sys_chroot,+setuid,+setgid \\
  chroot --userspec=${USER}:${USER} --groups= "$root" "$@"`;

/** Whether this machine lets a test make namespaces; only root may give the process to another user. */
export function canConfine(): boolean {
  return process.getuid?.() === 0 && spawnSync('unshare', ['--mount', '--pid', '--fork', 'true']).status === 0;
}

/** Starts Node confined. @param dir the data folder, which is given to the user */
export function confined(t: TestContext, dir: string, args: readonly string[]): ChildProcess {
  const root = mkdtempSync(join(tmpdir(), 'peerd-root-'));
  execFileSync('chown', ['-R', `${USER}:${USER}`, dir]);
  const child = spawn(
    'unshare',
    [
      '--mount',
      '--pid',
      '--ipc',
      '--uts',
      '--fork',
      '--kill-child',
      'sh',
      '-c',
      ENTER,
      'sh',
      root,
      REPOSITORY,
      dir,
      process.execPath,
      ...args,
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin' } },
  );
  t.after(async () => {
    if (child.exitCode === null) child.kill('SIGKILL');
    rmSync(root, { recursive: true, force: true });
  });
  return child;
}
