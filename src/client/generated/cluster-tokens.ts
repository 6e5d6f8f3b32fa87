// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
export interface JoinToken {
  id: string;
  roles: ('origin' | 'edge' | 'transcode' | 'manager' | 'mono')[];
  /** Empty: any */
  regions: string[];
  usesMax: number;
  uses: number;
  /** The nodes that joined with it */
  usedBy: string[];
  expiresAt: string;
  createdAt: string;
  note: string;
}

export interface NewJoinToken {
  id: string;
  roles: ('origin' | 'edge' | 'transcode' | 'manager' | 'mono')[];
  /** Empty: any */
  regions: string[];
  usesMax: number;
  uses: number;
  /** The nodes that joined with it */
  usedBy: string[];
  expiresAt: string;
  createdAt: string;
  note: string;
  /** Shown this once */
  token: string;
}

export interface CreateJoinTokenRequest {
  /** What nodes may join as */
  roles?: ('origin' | 'edge' | 'transcode' | 'manager' | 'mono')[];
  /** The regions that nodes may join; empty: any */
  regions?: string[];
  /** How many nodes may join with it */
  usesMax?: number;
  /** How long it holds */
  expiresInS?: number;
  /** To know it by */
  note?: string;
}
