import type { ActionName, ServiceName } from '../wire/fields.ts';

/** What enables and disables init scripts at boot, where service(8) and the scripts themselves know no such thing. */
export type BootLinks = 'update-rc.d' | 'chkconfig';

const words: Readonly<Record<BootLinks, Readonly<Record<string, string>>>> = {
  'update-rc.d': { enable: 'enable', disable: 'disable' },
  chkconfig: { enable: 'on', disable: 'off' },
};

/** Undefined for an action that it has nothing to do with. */
export function bootLinksCommand(
  bootLinks: BootLinks | undefined,
  service: ServiceName,
  action: ActionName,
): [program: string, args: string[]] | undefined {
  const word = bootLinks === undefined ? undefined : words[bootLinks][action];
  return bootLinks === undefined || word === undefined ? undefined : [bootLinks, [service, word]];
}
