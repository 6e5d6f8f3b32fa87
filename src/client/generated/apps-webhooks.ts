// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
export interface Webhook {
  id: string;
  app: string;
  /** `admission`: is asked whether somebody may publish or play; `events`: is told what happened */
  kind: 'admission' | 'events';
  /** Without what follows a `?` */
  url: string;
  note: string;
  enabled: boolean;
  admission?: {
    for: ('publish' | 'play')[];
    /** How long an answer is waited for */
    timeoutMs: number;
    /** What counts while the hook gives no answer that can be used, or is asked too much at a time */
    whenDown: 'allow' | 'refuse';
    /** For how long a viewer's answer counts; a refusal ten seconds at most */
    cacheS: number;
  };
  events?: {
    types: (
      | 'stream.started'
      | 'stream.held'
      | 'stream.resumed'
      | 'stream.ended'
      | 'publisher.refused'
      | 'source.changed'
      | 'target.changed'
      | 'recording.started'
      | 'recording.ended'
      | 'recording.failed'
      | 'node.changed'
      | 'node.gone'
    )[];
    /** For how long an event is tried again; 0: one attempt */
    retryForS: number;
  };
  /** When it was made */
  createdAt: string;
  /** When it was changed last */
  changedAt: string;
  /** Until when requests are signed with the secret before the last rotation, too */
  oldSecretUntil?: string;
  /** Why this node neither changes nor reaches it: newer software has written it */
  problem?: string;
}

export interface WebhookDelivery {
  /** Of the event, or of the question */
  id: string;
  /** `publish`, `play`, or of an event */
  type: string;
  /** `app/name` */
  stream?: string;
  /** The node that sent it */
  node: string;
  /** When it was attempted last */
  at: string;
  /** Of an event: `delivered`, `retrying`, `dead` (a dead letter) or `dropped` (too many waited); of a question: the others */
  status: 'delivered' | 'retrying' | 'dead' | 'dropped' | 'allowed' | 'refused' | 'down';
  attempts: number;
  /** Of the last attempt */
  durationMs: number;
  httpStatus?: number;
  detail?: string;
}

export interface DeadLetter {
  /** Of the event */
  id: string;
  type: string;
  /** When it happened */
  createdAt: string;
  /** When the last attempt failed */
  diedAt: string;
  attempts: number;
  httpStatus?: number;
  detail?: string;
  /** What was to be sent */
  event: unknown;
}

export interface NewWebhook {
  id: string;
  app: string;
  /** `admission`: is asked whether somebody may publish or play; `events`: is told what happened */
  kind: 'admission' | 'events';
  /** Without what follows a `?` */
  url: string;
  note: string;
  enabled: boolean;
  admission?: {
    for: ('publish' | 'play')[];
    /** How long an answer is waited for */
    timeoutMs: number;
    /** What counts while the hook gives no answer that can be used, or is asked too much at a time */
    whenDown: 'allow' | 'refuse';
    /** For how long a viewer's answer counts; a refusal ten seconds at most */
    cacheS: number;
  };
  events?: {
    types: (
      | 'stream.started'
      | 'stream.held'
      | 'stream.resumed'
      | 'stream.ended'
      | 'publisher.refused'
      | 'source.changed'
      | 'target.changed'
      | 'recording.started'
      | 'recording.ended'
      | 'recording.failed'
      | 'node.changed'
      | 'node.gone'
    )[];
    /** For how long an event is tried again; 0: one attempt */
    retryForS: number;
  };
  /** When it was made */
  createdAt: string;
  /** When it was changed last */
  changedAt: string;
  /** Until when requests are signed with the secret before the last rotation, too */
  oldSecretUntil?: string;
  /** Why this node neither changes nor reaches it: newer software has written it */
  problem?: string;
  /** Shown this once */
  secret: string;
}

export interface CreateWebhookRequest {
  /** `admission`: is asked whether somebody may publish or play; `events`: is told what happened */
  kind: 'admission' | 'events';
  /** HTTPS */
  url: string;
  /** To know it by */
  note?: string;
  enabled?: boolean;
  /** Of the kind `admission`, which needs it */
  admission?: {
    for: ('publish' | 'play')[];
    /** How long an answer is waited for */
    timeoutMs?: number;
    whenDown?: 'allow' | 'refuse';
    /** For how long a viewer's answer counts; a refusal ten seconds at most */
    cacheS?: number;
  };
  /** Of the kind `events`, which needs it */
  events?: {
    types: (
      | 'stream.started'
      | 'stream.held'
      | 'stream.resumed'
      | 'stream.ended'
      | 'publisher.refused'
      | 'source.changed'
      | 'target.changed'
      | 'recording.started'
      | 'recording.ended'
      | 'recording.failed'
      | 'node.changed'
      | 'node.gone'
    )[];
    /** For how long an event is tried again; 0: one attempt */
    retryForS?: number;
  };
}

export interface ChangeWebhookRequest {
  /** HTTPS */
  url?: string;
  /** To know it by */
  note?: string;
  enabled?: boolean;
  admission?: {
    for?: ('publish' | 'play')[];
    /** How long an answer is waited for */
    timeoutMs?: number;
    /** What counts while the hook gives no answer that can be used, or is asked too much at a time */
    whenDown?: 'allow' | 'refuse';
    /** For how long a viewer's answer counts; a refusal ten seconds at most */
    cacheS?: number;
  };
  events?: {
    types?: (
      | 'stream.started'
      | 'stream.held'
      | 'stream.resumed'
      | 'stream.ended'
      | 'publisher.refused'
      | 'source.changed'
      | 'target.changed'
      | 'recording.started'
      | 'recording.ended'
      | 'recording.failed'
      | 'node.changed'
      | 'node.gone'
    )[];
    /** For how long an event is tried again; 0: one attempt */
    retryForS?: number;
  };
}

export interface TestWebhookAnswer {
  /** Whether an event would count as delivered, or the answer to a question as one */
  ok: boolean;
  durationMs: number;
  /** Absent: there was no answer */
  httpStatus?: number;
  verdict?: 'allowed' | 'refused' | 'down';
  /** What went wrong, or the reason of an admission hook */
  detail?: string;
  /** The beginning of the answer's body */
  body?: string;
}
