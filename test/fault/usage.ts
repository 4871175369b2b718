import { readdirSync, readFileSync } from 'node:fs';

/** What a process holds. */
export interface Usage {
  readonly descriptors: number;
  readonly residentMiB: number;
}

export function usageOf(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const kibibytes = Number(/^VmRSS:\s*(\d+) kB/m.exec(status)?.[1]);
  return { descriptors: readdirSync(`/proc/${pid}/fd`).length, residentMiB: Math.round(kibibytes / 1_024) };
}

/** `8 -> 9 -> 8 descriptors, 70 -> 74 -> 72 MiB`: first, largest and last. */
export function courseOf(usages: readonly Usage[]): string {
  const course = (read: (usage: Usage) => number) =>
    [read(usages[0] ?? none), Math.max(...usages.map(read)), read(usages.at(-1) ?? none)].join(' -> ');
  return `${course(({ descriptors }) => descriptors)} descriptors, ${course(({ residentMiB }) => residentMiB)} MiB`;
}

const none: Usage = { descriptors: Number.NaN, residentMiB: Number.NaN };

/**
 * How much more is held at the end than at the beginning, both as the median of a fifth of all samples; the first few
 * are left out, in which caches fill.
 */
export function growthOf(usages: readonly Usage[]): Usage {
  const settled = usages.slice(3);
  const fifth = Math.max(1, Math.floor(settled.length / 5));
  const [first, last] = [settled.slice(0, fifth), settled.slice(-fifth)];
  const growth = (read: (usage: Usage) => number) => median(last.map(read)) - median(first.map(read));
  return {
    descriptors: growth(({ descriptors }) => descriptors),
    residentMiB: growth(({ residentMiB }) => residentMiB),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
