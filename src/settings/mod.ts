export { isJsonObject, isSameJson, type Json, type JsonObject } from './json.ts';
export { changesBetween, type SettingsChange, type SettingsState, withChanges, withoutChanges } from './settings-change.ts';
export { differenceOf, type SettingsDifference } from './settings-difference.ts';
export {
  APP_SETTINGS_PREFIX,
  documentOf,
  type GivenSettings,
  LADDERS_PREFIX,
  ROUTING_SETTINGS,
  type SettingsDocument,
  TRANSCODING_SETTINGS,
  wishedState,
} from './settings-document.ts';
export {
  DONE_KEY,
  decodeDone,
  decodeVersion,
  encodeDone,
  encodeVersion,
  PARTS_PREFIX,
  partKey,
  readChanges,
  VERSION_NOTE_LENGTH_MAX,
  VERSIONS_KEPT,
  VERSIONS_PREFIX,
  type VersionParts,
  type VersionRecord,
  versionKey,
} from './settings-version.ts';
