import { message } from '../wire/codec.ts';
import { isServiceManagerError } from '../wire/errors.ts';
import { ServiceName } from '../wire/fields.ts';

const names = message('service name', 1_024, ServiceName);
/** In folders of init scripts: what is no service, as service(8) passes it over, and what packages left behind. */
const noServices =
  /^(?:README|skeleton|functions|rc|rcS|single|halt|reboot|killall|.*\.(?:dpkg|rpm|ucf)[a-z-]*)$/;

/** The lines that are names of services, each once. What could not be asked for by name is left out. */
export function serviceNamesIn(lines: readonly string[]): ServiceName[] {
  return [...new Set(lines)].filter((line) => !noServices.test(line)).flatMap(asServiceName);
}

function asServiceName(line: string): ServiceName[] {
  try {
    return [names.parse(line)];
  } catch (error) {
    if (!isServiceManagerError(error)) throw error;
    return [];
  }
}
