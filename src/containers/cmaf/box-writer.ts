import type { ByteWriter } from '../../core/mod.ts';

/** Writes a four-character code: box types, brands and handler types (ISO/IEC 14496-12, 4.2). */
export function fourCc(writer: ByteWriter, code: string): void {
  for (let i = 0; i < 4; i++) writer.u8(code.charCodeAt(i));
}

/** Writes one box with a 32-bit size around whatever `body` writes. */
export function box(writer: ByteWriter, type: string, body: () => void): void {
  const start = writer.length;
  writer.u32(0);
  fourCc(writer, type);
  body();
  writer.patchU32(start, writer.length - start);
}

/** A box with version and flags (ISO/IEC 14496-12, 4.2, FullBox). */
export function fullBox(writer: ByteWriter, type: string, version: number, flags: number, body: () => void): void {
  box(writer, type, () => {
    writer.u8(version).u24(flags);
    body();
  });
}
