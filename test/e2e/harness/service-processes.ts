import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

const removalDeadlineMs = 5_000;

/** Live processes that carry the mark of this test service, and of its script. */
export function processesOf(name: string): number[] {
  const pids = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return pids.map(Number).filter((pid) => pid !== process.pid && isAlive(pid) && isOf(pid, name));
}

/** The script's own environment shows what it was started with, so it is known by its file instead. */
function isOf(pid: number, name: string): boolean {
  return (
    procText(pid, 'environ').split('\0').includes(`SMTEST_SERVICE=${name}`) ||
    procText(pid, 'cmdline').split('\0').includes(`/etc/init.d/${name}`)
  );
}

function isAlive(pid: number): boolean {
  const state = /^State:\s*(\S)/m.exec(procText(pid, 'status'))?.[1];
  return state !== undefined && state !== 'Z' && state !== 'X';
}

/** Empty when the process is gone. */
function procText(pid: number, file: 'environ' | 'cmdline' | 'status'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    return '';
  }
}

export async function endProcesses(name: string): Promise<void> {
  const endsAt = performance.now() + removalDeadlineMs;
  for (let pids = processesOf(name); pids.length > 0; pids = processesOf(name)) {
    if (performance.now() > endsAt) throw new Error(`${name}: processes ${pids.join(', ')} do not end`);
    for (const pid of pids) kill(pid);
    await sleep(5);
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
