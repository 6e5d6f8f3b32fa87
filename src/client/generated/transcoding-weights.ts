// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
export interface TranscodingWeights {
  /** The first one that matches decides */
  rules: {
    /** Pattern of the app; `*` stands for any characters */
    app: string;
    /** Pattern of the stream's name */
    stream: string;
    /** Pattern of the rung's name */
    rung: string;
    /** Only for streams that so many watch: their source and all rungs, on all nodes */
    viewersMin: number;
    /** Of one viewer; 1 without a rule, 0: never made */
    weight: number;
  }[];
  /** What comes before all that is not pinned, while somebody wants it */
  pins: {
    /** `app/name` */
    stream: string;
    /** Absent: all rungs of the stream */
    rung?: string;
    /** Made there while that node takes tasks; absent: on any */
    node?: string;
  }[];
}

export interface SetTranscodingWeightsRequest {
  /** The first one that matches decides */
  rules?: {
    /** Pattern of the app; `*` stands for any characters */
    app?: string;
    /** Pattern of the stream's name */
    stream?: string;
    /** Pattern of the rung's name */
    rung?: string;
    /** Only for streams that so many watch: their source and all rungs, on all nodes */
    viewersMin?: number;
    /** Of one viewer; 1 without a rule, 0: never made */
    weight: number;
  }[];
  /** What comes before all that is not pinned, while somebody wants it */
  pins?: {
    /** `app/name` */
    stream: string;
    /** Absent: all rungs of the stream */
    rung?: string;
    /** Made there while that node takes tasks; absent: on any */
    node?: string;
  }[];
}
