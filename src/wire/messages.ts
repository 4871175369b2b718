import {
  AuditHeadInfo,
  CreatedToken,
  KeyList,
  KeyOrder,
  PolicyQuestion,
  PolicyVerdict,
  RotationInfo,
  RotationOrder,
  TokenList,
  TokenName,
  TokenOrder,
} from './admin.ts';
import { DispatchHeader, DispatchV1, IdOnly } from './dispatch.ts';
import { RequestEnd } from './end.ts';
import { JoinReply, JoinRequest } from './join.ts';
import { ManagementReply, ManagementRequest } from './management.ts';
import { OutputPiece } from './output.ts';
import { Ack, Beat, Hello } from './presence.ts';
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
  SignedQuery,
} from './query.ts';
import { Accepted, Failure, NextKey } from './reply.ts';
import { FrontendRequest, RequestBody } from './request.ts';
import { Answer } from './result.ts';
import { SinkRouting } from './sink.ts';

/** Every message that travels, in the order in which docs/PROTOCOL.md tells of them. A new one belongs in both. */
export const messages = [
  FrontendRequest,
  RequestBody,
  Query,
  SignedQuery,
  Accepted,
  Failure,
  NextKey,
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
  Beat,
  RequestEnd,
  NodeChange,
  RolloutProgress,
  JoinRequest,
  JoinReply,
  ManagementRequest,
  ManagementReply,
  KeyOrder,
  KeyList,
  TokenOrder,
  TokenName,
  CreatedToken,
  TokenList,
  PolicyQuestion,
  PolicyVerdict,
  RotationOrder,
  RotationInfo,
  AuditHeadInfo,
] as const;
