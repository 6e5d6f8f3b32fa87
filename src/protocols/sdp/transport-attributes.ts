import { badSdp, pushBounded, type SdpLine } from './sdp-lines.ts';
import type { SdpFingerprint, SdpSetup, SdpTransportAttributes } from './session-description.ts';

const CANDIDATES_MAX = 128;
const FINGERPRINTS_MAX = 8;
const ICE_OPTIONS_MAX = 16;
const setups: readonly string[] = ['actpass', 'active', 'passive', 'holdconn'] satisfies SdpSetup[];

/** Transport attributes while they are read; `finish` gives them. */
export class TransportAttributesDraft {
  private ufrag: string | undefined = undefined;
  private pwd: string | undefined = undefined;
  private iceOptions: string[] = [];
  private readonly fingerprints: SdpFingerprint[] = [];
  private setup: SdpSetup | undefined = undefined;
  private readonly candidates: string[] = [];
  private endOfCandidates = false;

  /** Takes an attribute; false when it is none of these. Throws `sdp.bad`. */
  read(name: string, value: string, line: SdpLine): boolean {
    switch (name) {
      case 'ice-ufrag':
        if (!/^[A-Za-z0-9+/]{4,256}$/.test(value)) throw badSdp('ice-ufrag is not 4 to 256 ice-chars', line);
        this.ufrag ??= value;
        return true;
      case 'ice-pwd':
        if (!/^[A-Za-z0-9+/]{22,256}$/.test(value)) throw badSdp('ice-pwd is not 22 to 256 ice-chars', line);
        this.pwd ??= value;
        return true;
      case 'ice-options':
        this.iceOptions = value.split(' ', ICE_OPTIONS_MAX).filter((option) => option !== '');
        return true;
      case 'fingerprint':
        pushBounded(this.fingerprints, readFingerprint(value, line), FINGERPRINTS_MAX, line);
        return true;
      case 'setup':
        if (!setups.includes(value)) throw badSdp('setup is none of actpass, active, passive, holdconn', line);
        this.setup = value as SdpSetup;
        return true;
      case 'candidate':
        pushBounded(this.candidates, `candidate:${value}`, CANDIDATES_MAX, line);
        return true;
      case 'end-of-candidates':
        this.endOfCandidates = true;
        return true;
      default:
        return false;
    }
  }

  finish(): SdpTransportAttributes {
    const { ufrag, pwd, setup } = this;
    return {
      iceOptions: this.iceOptions,
      fingerprints: this.fingerprints,
      candidates: this.candidates,
      endOfCandidates: this.endOfCandidates,
      ...(ufrag === undefined || pwd === undefined ? {} : { ice: { ufrag, pwd } }),
      ...(setup === undefined ? {} : { setup }),
    };
  }
}

function readFingerprint(value: string, line: SdpLine): SdpFingerprint {
  const [algorithm = '', hex = ''] = value.split(/ +/);
  if (!/^[a-z0-9-]{1,32}$/i.test(algorithm) || !/^[0-9a-f]{2}(:[0-9a-f]{2}){0,127}$/i.test(hex)) throw badSdp('bad fingerprint', line);
  return { algorithm: algorithm.toLowerCase(), value: hex.toUpperCase() };
}
