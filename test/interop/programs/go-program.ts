/** Programs in Go, of others and of our own, built from `go/`: its go.mod pins every version and go.sum every byte. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { installed } from './cache.ts';

const MODULE = fileURLToPath(new URL('./go/', import.meta.url));
const GO_MOD = readFileSync(join(MODULE, 'go.mod'), 'utf8');
const BUILD_MS = 900_000;
const PROGRAMS = new Map<string, Promise<GoProgram>>();
const run = promisify(execFile);

export interface GoProgram {
  readonly path: string;
  /** of the module that the program is about */
  readonly version: string;
}

/**
 * Builds a program once.
 *
 * @param goPackage a package of a required module, or a folder of our own as `./name`
 * @param module    the module whose version is meant
 */
export function goProgram(name: string, goPackage: string, module: string): Promise<GoProgram> {
  const known = PROGRAMS.get(name) ?? build(name, goPackage, module);
  PROGRAMS.set(name, known);
  return known;
}

async function build(name: string, goPackage: string, module: string): Promise<GoProgram> {
  const version = requiredVersion(module);
  const started = performance.now();
  const folder = await installed(`${name}-${version}-${fingerprint(goPackage)}`, async (empty) => {
    const flags = ['-mod=readonly', '-p', '2', '-trimpath', '-buildvcs=false', '-ldflags=-s -w'];
    const env = { ...process.env, GOFLAGS: '', CGO_ENABLED: '0' };
    await run('go', ['build', ...flags, '-o', join(empty, name), goPackage], { cwd: MODULE, env, timeout: BUILD_MS });
    console.log(`${name} built in ${Math.round((performance.now() - started) / 1_000)} s`);
  });
  console.log(`${name} ${version}`);
  return { path: join(folder, name), version };
}

function requiredVersion(module: string): string {
  const line = GO_MOD.split('\n').find((one) => one.trim().split(' ')[0] === module);
  const version = line?.trim().split(' ')[1];
  if (version === undefined) throw new Error(`go/go.mod does not require ${module}`);
  return version;
}

/** Of the versions of all modules and, for a program of our own, its source. */
function fingerprint(goPackage: string): string {
  const hash = createHash('sha256').update(GO_MOD);
  if (goPackage.startsWith('./')) {
    const folder = join(MODULE, basename(goPackage));
    for (const file of readdirSync(folder).sort()) hash.update(file).update(readFileSync(join(folder, file)));
  }
  return hash.digest('hex').slice(0, 12);
}
