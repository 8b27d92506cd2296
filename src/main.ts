#!/usr/bin/env node
/** argv -> command. The only file that touches the process. */
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';
import packageJson from '../package.json' with { type: 'json' };
import type { Node, Output, Runtime, StopSignal } from './cli/runtime.ts';
import { isAtLeast } from './cli/version-order.ts';

const LEAST_NODE = packageJson.engines.node.replace('>=', '');

// Before anything else is loaded: an older one fails on the first module that it lacks something of, without a sentence.
if (!isAtLeast(process.versions.node, LEAST_NODE)) {
  process.stderr.write(
    `error: expected Node.js ${LEAST_NODE} or later, got ${process.versions.node} (${process.execPath})\nInstall it, or run this with another: /path/to/node ${process.argv[1] ?? 'stigmem-peerd'} …\n`,
  );
  process.exit(1);
}

// Left alone, each of a node's three heaps takes tens of MiB more than it needs while pages stream through: young space
// grows to 64 MiB, old space to a multiple of what lives. Collecting more often costs a few per cent of the time.
setFlagsFromString('--semi-space-growth-factor=1');
setFlagsFromString('--heap-growing-percent=25');

const STOP_SIGNALS: readonly StopSignal[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

const runtime: Runtime = {
  env: process.env,
  stdin: process.stdin,
  interactive: process.stdin.isTTY === true && process.stdout.isTTY === true,
  stdout: output(process.stdout),
  stderr: output(process.stderr),
  pid: process.pid,
  self: [process.execPath, ...process.execArgv, fileURLToPath(import.meta.url)],
  nowMs: Date.now,
  isAlive,
  onStop(handler) {
    for (const signal of STOP_SIGNALS) process.on(signal, handler);
    return () => {
      for (const signal of STOP_SIGNALS) process.off(signal, handler);
    };
  },
  onTerminal({ key, resize }) {
    const heard = (bytes: Buffer): void => key(bytes.toString('latin1'));
    process.stdin.setRawMode(true).on('data', heard);
    process.stdin.resume();
    process.stdout.on('resize', resize);
    return () => {
      process.stdout.off('resize', resize);
      process.stdin.off('data', heard).setRawMode(false).pause();
    };
  },
  exit: (code) => process.exit(code),
};

const { runProgram } = await import('./cli/program.ts');
process.exitCode = await runProgram(process.argv.slice(2), runtime, loadNode);

async function loadNode(): Promise<Node> {
  return import('./app.ts');
}

function output(stream: NodeJS.WriteStream): Output {
  // `| head` closes the pipe; what would have been written is wanted by nobody.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  return {
    write: (text) => void stream.write(text),
    isTTY: stream.isTTY === true,
    get columns() {
      return stream.columns;
    },
    get rows() {
      return stream.rows;
    },
  };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (thrown) {
    // It is there, but somebody else's.
    return (thrown as NodeJS.ErrnoException).code === 'EPERM';
  }
}
