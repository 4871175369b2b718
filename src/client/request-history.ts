import type { RequestReply } from '../wire/query.ts';
import type { Answer } from '../wire/result.ts';

/** What a manager knows of requests, for who looks after one that is under way. Both reject as `ask` does. */
export interface RequestHistory {
  show(id: string): Promise<RequestReply>;
  /** All answers that are there now, by node name. */
  answers(id: string): Promise<Answer[]>;
}
