export type WebhookEventName =
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
  | 'node.gone';

/** What an admission hook is asked about, and what counts while it gives no answer. */
export interface AdmissionSettings {
  for: ('publish' | 'play')[];
  timeoutMs: number;
  whenDown: 'allow' | 'refuse';
  /** For how long a viewer's answer counts. */
  cacheS: number;
}

/** What an events hook is told of, and for how long an event is tried again. */
export interface EventsSettings {
  types: WebhookEventName[];
  retryForS: number;
}

/** A webhook, without its secret. */
export interface WebhookResource {
  id: string;
  app: string;
  kind: 'admission' | 'events';
  /** Without what follows a `?`. */
  url: string;
  note: string;
  enabled: boolean;
  /** Of the kind `admission`. */
  admission?: AdmissionSettings;
  /** Of the kind `events`. */
  events?: EventsSettings;
  createdAt: string;
  changedAt: string;
  /** Until when requests are signed with the secret before the last rotation, too. */
  oldSecretUntil?: string;
  /** Why this node can do nothing with it. */
  problem?: string;
}

export interface NewWebhookResource extends WebhookResource {
  /** Shown this once. */
  secret: string;
}

export interface WebhookPage {
  items: WebhookResource[];
  nextCursor?: string;
}

export interface WebhookWish {
  kind: 'admission' | 'events';
  url: string;
  note: string;
  enabled: boolean;
  admission?: { for: AdmissionSettings['for']; timeoutMs: number; whenDown: AdmissionSettings['whenDown']; cacheS: number };
  events?: { types: WebhookEventName[]; retryForS: number };
}

/** What is left out stays. */
export interface WebhookPatch {
  url?: string;
  note?: string;
  enabled?: boolean;
  admission?: { for?: AdmissionSettings['for']; timeoutMs?: number; whenDown?: AdmissionSettings['whenDown']; cacheS?: number };
  events?: { types?: WebhookEventName[]; retryForS?: number };
}

/** What came back of a test. */
export interface WebhookTestResource {
  ok: boolean;
  durationMs: number;
  /** Absent: there was no answer. */
  httpStatus?: number;
  /** Of an admission hook. */
  verdict?: 'allowed' | 'refused' | 'down';
  /** What went wrong, or the reason of an admission hook. */
  detail?: string;
  /** The beginning of the answer's body. */
  body?: string;
}

/** One thing that was sent: all attempts of an event, or one question. */
export interface DeliveryResource {
  id: string;
  /** `publish`, `play`, or of an event. */
  type: string;
  stream?: string;
  /** The node that sent it. */
  node: string;
  at: string;
  status: 'delivered' | 'retrying' | 'dead' | 'dropped' | 'allowed' | 'refused' | 'down';
  attempts: number;
  /** Of the last attempt. */
  durationMs: number;
  httpStatus?: number;
  detail?: string;
}

export interface DeliveryList {
  items: DeliveryResource[];
}

/** An event that could not be delivered. */
export interface DeadLetterResource {
  id: string;
  type: string;
  createdAt: string;
  diedAt: string;
  attempts: number;
  httpStatus?: number;
  detail?: string;
  /** What was to be sent. */
  event: unknown;
}

export interface DeadLetterPage {
  items: DeadLetterResource[];
  nextCursor?: string;
}
