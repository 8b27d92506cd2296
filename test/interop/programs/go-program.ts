/**
 * Programs in Go, of others and of our own, built from `go/`, `go-s3/` and `go-deploy/`: go.mod pins every version and go.sum every
 * byte. The last two stand apart, so that they do not raise the versions that Rekor is built with.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { installed } from './cache.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const BUILD_MS = 900_000;
const BUILT = new Map<ProgramName, Promise<GoProgram>>();
const run = promisify(execFile);

export interface GoProgram {
  readonly path: string;
  /** of the module that the program is about */
  readonly version: string;
}

interface Source {
  /** a package of a required module, or a folder of our own as `./name` */
  readonly goPackage: string;
  /** whose version is meant */
  readonly module: string;
  /** where the go.mod is */
  readonly folder: 'go' | 'go-s3' | 'go-deploy';
}

type ProgramName =
  | 'sumdb-check'
  | 'litewitness'
  | 'tessera-fsck'
  | 'rekor-tiles'
  | 'rekor-v1'
  | 'cosign'
  | 'versitygw'
  | 'kustomize'
  | 'actionlint';

const SOURCES: Readonly<Record<ProgramName, Source>> = {
  'sumdb-check': { goPackage: './sumdb-check', module: 'golang.org/x/mod', folder: 'go' },
  litewitness: of('filippo.io/torchwood', 'cmd/litewitness'),
  'tessera-fsck': of('github.com/transparency-dev/tessera', 'cmd/fsck'),
  'rekor-tiles': of('github.com/sigstore/rekor-tiles/v2', 'cmd/rekor-server/posix'),
  'rekor-v1': { goPackage: './rekor-v1', module: 'github.com/sigstore/rekor', folder: 'go' },
  cosign: of('github.com/sigstore/cosign/v3', 'cmd/cosign'),
  versitygw: { ...of('github.com/versity/versitygw', 'cmd/versitygw'), folder: 'go-s3' },
  kustomize: {
    goPackage: 'sigs.k8s.io/kustomize/kustomize/v5',
    module: 'sigs.k8s.io/kustomize/kustomize/v5',
    folder: 'go-deploy',
  },
  actionlint: { ...of('github.com/rhysd/actionlint', 'cmd/actionlint'), folder: 'go-deploy' },
};

export const GO_PROGRAMS: readonly ProgramName[] = Object.keys(SOURCES) as ProgramName[];

function of(module: string, folderInModule: string): Source {
  return { goPackage: `${module}/${folderInModule}`, module, folder: 'go' };
}

/** Builds a program once. */
export function goProgram(name: ProgramName): Promise<GoProgram> {
  const known = BUILT.get(name) ?? build(name, SOURCES[name]);
  BUILT.set(name, known);
  return known;
}

async function build(name: ProgramName, { goPackage, module, folder }: Source): Promise<GoProgram> {
  const cwd = join(HERE, folder);
  const goMod = readFileSync(join(cwd, 'go.mod'), 'utf8');
  const version = requiredVersion(goMod, module);
  const started = performance.now();
  const kept = await installed(`${name}-${version}-${fingerprint(cwd, goMod, goPackage)}`, async (empty) => {
    // no inlining and less garbage collection: a build on an empty machine takes two thirds of the time
    const flags = ['-mod=readonly', '-p', '2', '-trimpath', '-buildvcs=false', '-gcflags=all=-l', '-ldflags=-s -w'];
    const env = { ...process.env, GOFLAGS: '', GOGC: '400', CGO_ENABLED: '0' };
    await run('go', ['build', ...flags, '-o', join(empty, name), goPackage], { cwd, env, timeout: BUILD_MS });
    console.log(`${name} built in ${Math.round((performance.now() - started) / 1_000)} s`);
  });
  console.log(`${name} ${version}`);
  return { path: join(kept, name), version };
}

function requiredVersion(goMod: string, module: string): string {
  const words = goMod.split('\n').map((line) => line.trim().split(' '));
  const version = words.find(([name, second]) => name === module && second !== undefined)?.[1];
  if (version === undefined) throw new Error(`go.mod does not require ${module}`);
  return version;
}

/** Of the versions of all modules and, for a program of our own, its source. */
function fingerprint(cwd: string, goMod: string, goPackage: string): string {
  const hash = createHash('sha256').update(goMod);
  if (goPackage.startsWith('./')) {
    const own = join(cwd, basename(goPackage));
    for (const file of readdirSync(own).sort()) hash.update(file).update(readFileSync(join(own, file)));
  }
  return hash.digest('hex').slice(0, 12);
}
