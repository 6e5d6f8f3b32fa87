// Written by `npm run client` from the OpenAPI document: change src/api, and run that.
export interface AddStreamTargetRequest {
  /** The name of the target, unique in the stream */
  name: string;
  /** As `apps.NAME.targets[].url` in the configuration */
  url: string;
  /** The bearer token of a WHIP target */
  token?: string;
  rendition?: string;
}
