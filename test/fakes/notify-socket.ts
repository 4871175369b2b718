import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program } from './proc-files.ts';

/** The end of systemd: a UNIX datagram socket, which Node.js cannot open. */
export interface NotifySocket {
  readonly path: string;
  /** The lines of each message so far. */
  readonly messages: readonly (readonly string[])[];
  close(): void;
}

export async function startNotifySocket(): Promise<NotifySocket> {
  const folder = mkdtempSync(join(tmpdir(), 'service-mgr-'));
  const path = join(folder, 'notify');
  const child = spawn('python3', [program('receives-notifications.py'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const messages: string[][] = [];
  let unread = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = (unread + text).split('\n');
    unread = lines.pop() ?? '';
    for (const line of lines) if (line !== 'bound') messages.push(JSON.parse(line));
  });
  await once(child.stdout, 'data');
  return {
    path,
    messages,
    close() {
      child.kill('SIGKILL');
      rmSync(folder, { recursive: true });
    },
  };
}
