import { ProtocolError } from '../../../core/mod.ts';
import type { RtpCodec } from './payload-format.ts';

/** The error for payloads of `codec` that break their format: `rtp.bad-<codec>-payload`. */
export function badPayload(codec: RtpCodec, message: string, cause?: unknown): ProtocolError {
  return new ProtocolError(`rtp.bad-${codec}-payload`, message, { cause });
}

/** Runs `read` over what a payload carried and gives all ways in which that can be bad the code of {@link badPayload}. */
export function reading<Result>(codec: RtpCodec, what: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof ProtocolError) throw badPayload(codec, `${what} cannot be read: ${error.message}`, error);
    throw error;
  }
}
