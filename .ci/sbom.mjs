// `npm run --silent sbom`: a CycloneDX 1.5 bill of what is installed with the package, from package-lock.json. npm's own leaves out what
// development needs too; cyclonedx-npm leaves out hashes where the lockfile names no addresses.
import { readFileSync } from 'node:fs';

const LOCK = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const { name, version, license, description } = JSON.parse(readFileSync('package.json', 'utf8'));
const MODULES = 'node_modules/';

/** @typedef {{ version: string, integrity?: string, license?: string, dev?: boolean, optional?: boolean, peer?: boolean }} Locked */

/** @type {(entry: [string, Locked]) => boolean} */
function isInstalled([path, { dev }]) {
  return path !== '' && dev !== true;
}

/** @type {(name: string, version: string) => string} */
function purl(name, version) {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

/** `sha512-<base64>` of the lockfile, as CycloneDX has it. @type {(integrity: string | undefined) => object[]} */
function hashes(integrity) {
  if (integrity === undefined) return [];
  const [algorithm = '', digest = ''] = integrity.split('-');
  return [{ alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(digest, 'base64').toString('hex') }];
}

/** @type {(entry: [string, Locked]) => object} */
function component([path, { version, integrity, license, optional }]) {
  const name = path.slice(path.lastIndexOf(MODULES) + MODULES.length);
  return {
    type: 'library',
    'bom-ref': path,
    name,
    version,
    scope: optional === true ? 'optional' : 'required',
    purl: purl(name, version),
    hashes: hashes(integrity),
    licenses: license === undefined ? [] : [{ expression: license }],
  };
}

const bill = {
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  version: 1,
  metadata: {
    component: {
      type: 'application',
      'bom-ref': name,
      name,
      version,
      description,
      purl: purl(name, version),
      licenses: [{ license: { id: license } }],
    },
  },
  components: Object.entries(LOCK.packages).filter(isInstalled).map(component),
};
process.stdout.write(`${JSON.stringify(bill, null, 1)}\n`);
