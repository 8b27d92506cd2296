/** The Chromium of the tests: what `npm ci` brings, with its libraries and a font, unpacked once into the temporary folder. */
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inflate } from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';

const PACKED = join(dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))), '../bin');
const FLAGS = [
  '--no-sandbox',
  '--no-zygote',
  '--disable-gpu',
  // Containers give it 64 MiB.
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--font-render-hinting=none',
];

/** Another Chromium where `CHROMIUM` names one. */
export async function launchChromium(): Promise<Browser> {
  const given = process.env['CHROMIUM'];
  if (given !== undefined) return chromium.launch({ executablePath: given, args: FLAGS });
  // One after the other: what unpacks them looks at whether the file exists, not at whether it is whole.
  const executablePath = await inflate(join(PACKED, 'chromium.br'));
  await inflate(join(PACKED, 'al2023.tar.br'));
  await inflate(join(PACKED, 'fonts.tar.br'));
  const libraries = join(tmpdir(), 'al2023', 'lib');
  const env = { ...process.env, LD_LIBRARY_PATH: libraries, FONTCONFIG_PATH: join(tmpdir(), 'fonts') };
  return chromium.launch({ executablePath, args: FLAGS, env: env as Record<string, string> });
}
