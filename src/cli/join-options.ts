import { Option } from '@commander-js/extra-typings';
import type { Format } from '../config/key.ts';
import { connectEndpoint, duration } from '../config/values.ts';
import { type CurvePublic, readCurvePublic } from '../security/keys.ts';
import { checked } from './global-options.ts';

export const joinPort = 5_850;

/** Where a manager hears strangers: the port may be left out. */
export const joinEndpoint: Format<string> = {
  expected: `tcp://HOST or tcp://HOST:PORT (the port is ${joinPort} where none is given)`,
  parse(text) {
    const hasNoPort = /^tcp:\/\/(?:[^:[\]]+|\[[^\]]+\])$/.test(text);
    const endpoint = hasNoPort ? `${text}:${joinPort}` : text;
    return endpoint.startsWith('tcp:') ? connectEndpoint.parse(endpoint) : undefined;
  },
};

const managerKey: Format<CurvePublic> = {
  expected: 'the public key of a manager as "service-mgrd keys show" prints it',
  parse: readCurvePublic,
};

export function managerOption(usual: string) {
  const option = new Option('--manager <endpoint>', `where the manager is: ${joinEndpoint.expected}${usual}`);
  return option.argParser(checked(joinEndpoint));
}

export function managerKeyOption() {
  const option = new Option('--manager-key <key>', `without a token: ${managerKey.expected}`);
  return option.argParser(checked(managerKey));
}

export function waitOption() {
  const option = new Option('--wait <time>', 'how long to wait until the manager accepts the key');
  return option.argParser(checked(duration(1_000, 86_400_000)));
}
