import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** `service NAME status` and nothing else: resolves with its exit code when its output was read, too. */
export async function runService(name: string): Promise<number> {
  const child = spawn('service', [name, 'status'], { cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
  child.stdout.resume();
  child.stderr.resume();
  const [code] = await once(child, 'close');
  return code;
}
