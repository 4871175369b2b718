import type { HostFacts } from '../platform/host.ts';
import { textOf } from '../provider/output.ts';
import type { ProviderResult } from '../provider/provider.ts';
import type { ErrorCode } from '../wire/errors.ts';
import type { NodeName, RequestId } from '../wire/fields.ts';
import type { RequestBody } from '../wire/request.ts';
import type { ServiceAnswer, TroubleAnswer } from '../wire/result.ts';

/** Words what this node has to say, in the 2014 shape with the new fields beside it. */
export class Answers {
  readonly node: NodeName;
  readonly #host: HostFacts;

  constructor(node: NodeName, host: HostFacts) {
    this.node = node;
    this.#host = host;
  }

  done({ id, cmd, service }: RequestBody, run: ProviderResult, timeoutMs: number): ServiceAnswer {
    const ending = run.timedOut ? `: ended after its time limit of ${timeoutMs / 1_000} s` : '';
    return {
      msg: `Executed service ${cmd} request${ending}`,
      result: {
        node: this.node,
        returncode: run.exitCode,
        service,
        stdout: textOf(run.stdout),
        stderr: textOf(run.stderr),
        system: this.#host.system,
        version: this.#host.version,
        state: run.state,
        provider: run.provider,
        durationMs: Math.round(run.durationMs),
        ...(run.timedOut ? { timedOut: true } : {}),
        ...(run.stdout.cutBytes > 0 ? { stdoutCutBytes: run.stdout.cutBytes } : {}),
        ...(run.stderr.cutBytes > 0 ? { stderrCutBytes: run.stderr.cutBytes } : {}),
        ...(run.ranAs === undefined ? {} : { ranAs: run.ranAs }),
        ...(run.members === undefined ? {} : { members: [...run.members] }),
        ...(run.services === undefined ? {} : { services: [...run.services] }),
      },
      uuid: id,
    };
  }

  trouble(id: RequestId, code: ErrorCode, reason: string): TroubleAnswer {
    return { success: -1, msg: reason, node: this.node, uuid: id, code };
  }
}
