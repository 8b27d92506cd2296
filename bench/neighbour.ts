/** Hypercore replicating the same records between two processes, both on disk. */
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { realFacts } from './real-facts.ts';

const CACHE = new URL('../.cache/bench-hypercore/', import.meta.url).pathname;
const SOURCES = new URL('./hypercore/', import.meta.url).pathname;

export interface NeighbourResult {
  readonly records: number;
  readonly seconds: number;
  readonly recordsPerSecond: number;
}

/** Installs it once, outside the project's own dependencies. */
export async function installNeighbour(): Promise<void> {
  mkdirSync(CACHE, { recursive: true });
  cpSync(SOURCES, CACHE, { recursive: true });
  if (!existsSync(join(CACHE, 'node_modules', 'hypercore'))) {
    await output('npm', ['install', '--no-package-lock', '--silent', '--ignore-scripts'], []);
  }
}

export async function replicate(folder: string, count: number): Promise<NeighbourResult> {
  const lines = [...realFacts(count)].map((fact) => `${JSON.stringify(fact)}\n`);
  const server = spawn(process.execPath, ['server.mjs', join(folder, 'hc-server')], {
    cwd: CACHE,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ready = firstLine(server.stdout);
  for (const line of lines)
    if (!server.stdin.write(line)) await new Promise((resolve) => server.stdin.once('drain', resolve));
  server.stdin.end();
  const { port, key, length } = JSON.parse(await ready);
  try {
    const args = ['client.mjs', join(folder, 'hc-client'), String(port), key, String(length)];
    return JSON.parse(await output(process.execPath, args, []));
  } finally {
    server.kill('SIGTERM');
  }
}

export async function output(command: string, args: readonly string[], input: readonly string[]): Promise<string> {
  const child = spawn(command, [...args], { cwd: CACHE, stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(input.join(''));
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const code = await new Promise((resolve) => child.on('close', resolve));
  if (code !== 0) throw new Error(`${command} ${args[0]} ended with ${code}`);
  return Buffer.concat(chunks).toString('utf8');
}

function firstLine(stream: NodeJS.ReadableStream): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      if (text.includes('\n')) resolve(text);
    });
  });
}
