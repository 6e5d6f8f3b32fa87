// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
export interface AppUsage {
  app: string;
  now: {
    /** Published, or held over a drop */
    streams: {
      used: number;
      limit: number | null;
    };
    /** By all protocols; of HLS as far as they can be told apart */
    viewers: {
      used: number;
      limit: number | null;
    };
    /** Of media from publishers */
    bitrateInBps: {
      used: number;
      limit: number | null;
    };
    /** To viewers, over the last seconds */
    bitrateOutBps: {
      used: number;
      limit: number | null;
    };
  };
  /** What it has used since the month began */
  month: {
    /** The month, by UTC */
    name: string;
    /** Of all rungs that were made */
    transcodeMinutes: {
      used: number;
      limit: number | null;
    };
    /** Of all streams that were recorded */
    recordingMinutes: {
      used: number;
      limit: number | null;
    };
    viewerMinutes: number;
    /** From publishers */
    bytesIn: number;
    /** To viewers */
    bytesOut: number;
  };
}
