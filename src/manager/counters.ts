/** What a manager has seen since it started; shown by `manager.status`. */
export interface Counters {
  readonly requests: number;
  readonly requestsRepeated: number;
  readonly requestsRefused: number;
  readonly requestsEnded: number;
  readonly openRequests: number;
  readonly results: number;
  readonly resultsOfUnknownRequest: number;
  /** Connected agents, by their subscriptions to the topic `any`. */
  readonly agents: number;
  readonly framesRejected: number;
  readonly messagesDropped: number;
}

/** The counters that only grow by what passes through the loop. */
export function newTally(): Record<
  | 'requests'
  | 'requestsRepeated'
  | 'requestsRefused'
  | 'requestsEnded'
  | 'results'
  | 'resultsOfUnknownRequest',
  number
> {
  return {
    requests: 0,
    requestsRepeated: 0,
    requestsRefused: 0,
    requestsEnded: 0,
    results: 0,
    resultsOfUnknownRequest: 0,
  };
}
