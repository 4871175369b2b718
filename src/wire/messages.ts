import { DispatchHeader, DispatchV1, IdOnly } from './dispatch.ts';
import { RequestEnd } from './end.ts';
import { ManagementReply, ManagementRequest } from './management.ts';
import { OutputPiece } from './output.ts';
import { Ack, Hello } from './presence.ts';
import {
  AnswersReply,
  ForgetReply,
  NodeChange,
  NodesReply,
  PlanReply,
  Query,
  RequestReply,
  RequestsReply,
  RolloutProgress,
} from './query.ts';
import { Accepted, Failure } from './reply.ts';
import { FrontendRequest, RequestBody } from './request.ts';
import { Answer } from './result.ts';
import { SinkRouting } from './sink.ts';

/** Every message that travels, in the order in which docs/PROTOCOL.md tells of them. A new one belongs in both. */
export const messages = [
  FrontendRequest,
  RequestBody,
  Query,
  Accepted,
  Failure,
  NodesReply,
  ForgetReply,
  PlanReply,
  RequestsReply,
  RequestReply,
  AnswersReply,
  DispatchV1,
  DispatchHeader,
  IdOnly,
  Answer,
  SinkRouting,
  Ack,
  OutputPiece,
  Hello,
  RequestEnd,
  NodeChange,
  RolloutProgress,
  ManagementRequest,
  ManagementReply,
] as const;
