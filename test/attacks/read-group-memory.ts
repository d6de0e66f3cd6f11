import { readdir, readFile } from 'node:fs/promises';

/**
 * Resident memory of the workerd processes of a group, in bytes: the isolates and the runtime around them. Linux alone;
 * elsewhere 0.
 */
export async function readGroupMemory(group: number): Promise<number> {
  const processes = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  let total = 0;
  for (const process of processes) {
    const stat = await readFile(`/proc/${process}/stat`, 'utf8').catch(() => '');
    // `pid (name) state parent group ...`; a name may have spaces.
    const [, name = '', rest = ''] = /^\d+ \((.*)\) (.*)/s.exec(stat) ?? [];
    if (!name.startsWith('workerd') || Number(rest.split(' ')[2]) !== group) continue;
    const status = await readFile(`/proc/${process}/status`, 'utf8').catch(() => '');
    total += Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
  }
  return total;
}
