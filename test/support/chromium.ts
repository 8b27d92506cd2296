/** The Chromium of the tests: what `npm ci` brings, with its libraries and a font, unpacked once into the temporary folder. */
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { inflate } from '@sparticuz/chromium';
import { type Browser, chromium } from 'playwright-core';
import { STEP_MS } from './node-process.ts';

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

const LOOK_MS = 50;

/** Another Chromium where `CHROMIUM` names one. */
export async function launchChromium(): Promise<Browser> {
  const given = process.env['CHROMIUM'];
  if (given !== undefined) return chromium.launch({ executablePath: given, args: FLAGS, timeout: STEP_MS });
  const executablePath = await unpacked();
  const libraries = join(tmpdir(), 'al2023', 'lib');
  const env = { ...process.env, LD_LIBRARY_PATH: libraries, FONTCONFIG_PATH: join(tmpdir(), 'fonts') };
  return chromium.launch({ executablePath, args: FLAGS, timeout: STEP_MS, env: env as Record<string, string> });
}

/**
 * By one test file for all that run beside it: what unpacks looks at whether a file exists, not at whether it is whole.
 *
 * @returns the program
 */
async function unpacked(): Promise<string> {
  const [begun, done] = [join(tmpdir(), 'chromium.begun'), join(tmpdir(), 'chromium.done')];
  const isFirst = mkdirSync(begun, { recursive: true }) !== undefined;
  for (const endMs = Date.now() + STEP_MS; !isFirst && !existsSync(done); await sleep(LOOK_MS))
    if (Date.now() > endMs) throw new Error(`${begun} is there, and ${done} is not: remove it, and what was unpacked`);
  try {
    const program = await inflate(join(PACKED, 'chromium.br'));
    for (const folder of ['al2023', 'fonts']) await inflate(join(PACKED, `${folder}.tar.br`));
    if (isFirst) writeFileSync(done, '');
    return program;
  } catch (error) {
    // The next one may try.
    if (isFirst) rmSync(begun, { recursive: true });
    throw error;
  }
}
