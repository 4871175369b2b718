/** What a manager has seen since it started; shown by `manager.status`. */
export interface Counters extends Tally {
  readonly requestsEnded: number;
  readonly openRequests: number;
  /** Agents that are there now. */
  readonly agents: number;
  /** Answers and ends that nobody came for; they are in the history all the same. */
  readonly publicationsUnclaimed: number;
  readonly framesRejected: number;
  readonly messagesDropped: number;
  /** Connections that were not let in, and those who asked in vain to be known. */
  readonly handshakesRefused: number;
  readonly joinsRefused: number;
  /** What should stand in the audit log and could not be written. */
  readonly auditEventsLost: number;
}

/** What only grows by what passes through the loop. */
export interface Tally {
  requests: number;
  requestsRepeated: number;
  requestsRefused: number;
  queries: number;
  results: number;
}

export function newTally(): Tally {
  return { requests: 0, requestsRepeated: 0, requestsRefused: 0, queries: 0, results: 0 };
}
