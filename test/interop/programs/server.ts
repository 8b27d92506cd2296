/** Servers of others as child processes of a test: on 127.0.0.1, ended by their handle, their files removed. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const READY_MS = 60_000;
const STOP_MS = 15_000;
const LOOK_EVERY_MS = 25;
const TAIL_CHARS = 4_000;

/** A test, or `{ after }` of `node:test` for servers that all tests of a file share. */
export interface Ends {
  after(clean: () => Promise<void>): void;
}

interface Command {
  readonly name: string;
  readonly path: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Resolves if the server can be used; may throw until then. */
  readonly ready: (output: string) => Promise<unknown>;
}

/** One server; it can be stopped and started again on the same port and files. */
export class Server {
  readonly #command: Command;
  #child: ChildProcess | undefined;
  #output = '';

  constructor(command: Command) {
    this.#command = command;
  }

  /** What it wrote to both of its outputs, since its last start. */
  get output(): string {
    return this.#output;
  }

  /** Starts it and waits until it can be used. */
  async start(): Promise<void> {
    const { name, path, args, env, ready } = this.#command;
    if (this.#child !== undefined) throw new Error(`${name} runs already`);
    this.#output = '';
    const child = spawn(path, [...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
    this.#child = child;
    let failure: Error | undefined;
    child.once('error', (error) => {
      failure = error;
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
      });
    const hasEnded = (): boolean => failure !== undefined || child.exitCode !== null || child.signalCode !== null;
    const endMs = performance.now() + READY_MS;
    for (;;) {
      if (hasEnded()) {
        this.#child = undefined;
        throw new Error(
          `${name} ended with ${failure?.message ?? child.exitCode ?? child.signalCode}\n${this.#tail()}`,
        );
      }
      const error = await ready(this.#output).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error === undefined && !hasEnded()) return;
      if (performance.now() > endMs) {
        await this.stop('SIGKILL');
        throw new Error(`${name} is not ready after ${READY_MS} ms: ${String(error)}\n${this.#tail()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  }

  /** Ends it and waits for that; one that does not end in time is killed. Does nothing if it does not run. */
  async stop(signal: 'SIGTERM' | 'SIGINT' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    await exit;
    clearTimeout(late);
  }

  #tail(): string {
    return `--- its output ends with\n${this.#output.slice(-TAIL_CHARS)}`;
  }
}

/** A folder for servers that are stopped, last one first, before it is removed at the end of the test. */
export function serverFolder(ends: Ends): { readonly folder: string; add(server: Server): Server } {
  const folder = mkdtempSync(join(tmpdir(), 'peerd-interop-'));
  const servers: Server[] = [];
  ends.after(async () => {
    for (const server of servers.reverse()) await server.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });
  return {
    folder,
    add: (server) => {
      servers.push(server);
      return server;
    },
  };
}

/** Ports that nobody listened on just now. They are given out by the system and stay the server's over restarts. */
export async function freePorts(count: number): Promise<number[]> {
  const holders = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(holders.map((holder) => once(holder, 'listening')));
  const ports = holders.map((holder) => (holder.address() as { port: number }).port);
  await Promise.all(holders.map((holder) => new Promise((resolve) => holder.close(resolve))));
  return ports;
}

/** Throws unless the URL answers with a status below 500. */
export async function answers(url: string): Promise<void> {
  const response = await fetch(url, { signal: AbortSignal.timeout(2_000) });
  await response.arrayBuffer();
  if (response.status >= 500) throw new Error(`GET ${url}: ${response.status}`);
}
