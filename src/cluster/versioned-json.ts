export { decodeVersioned, encodeVersioned, readAmount, readCount, readText, type UnknownFields } from '../core/mod.ts';
