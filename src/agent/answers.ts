import type { HostFacts } from '../platform/host.ts';
import { textOf } from '../provider/output.ts';
import type { ProviderResult } from '../provider/provider.ts';
import type { ErrorCode } from '../wire/errors.ts';
import type { NodeName, RequestId } from '../wire/fields.ts';
import type { RequestBody } from '../wire/request.ts';
import type { Health, ServiceAnswer, TroubleAnswer } from '../wire/result.ts';

/** Words what this node has to say, in the 2014 shape with the new fields beside it. */
export class Answers {
  readonly node: NodeName;
  readonly #host: HostFacts;

  constructor(node: NodeName, host: HostFacts) {
    this.node = node;
    this.#host = host;
  }

  done(body: RequestBody, run: ProviderResult, timeoutMs: number, health?: Health): ServiceAnswer {
    const { id, cmd, service } = body;
    return {
      msg: `Executed service ${cmd} request${endingOf(run, timeoutMs, health)}`,
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
        ...(run.verification === undefined ? {} : { verification: run.verification }),
        ...(health === undefined ? {} : { health }),
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

/** What an admin would not expect. */
function endingOf({ timedOut, verification }: ProviderResult, timeoutMs: number, health?: Health): string {
  if (timedOut) return `: ended after its time limit of ${timeoutMs / 1_000} s`;
  if (verification?.isVerified === false) return `, but ${verification.reason ?? 'it is not verified'}`;
  if (health?.isHealthy === false) return `, but the health check ${health.check} failed: ${health.detail}`;
  return '';
}
