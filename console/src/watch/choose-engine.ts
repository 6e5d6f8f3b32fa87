import type { Engine, EngineListener } from './engine.ts';
import { HlsEngine, hlsEngineWorks } from './hls-engine.ts';
import { NativeEngine, nativeEngineWorks } from './native-engine.ts';

/** The engine for this browser, already loading `url`: hls.js where it works, as only it plays at low latency; `undefined` for none. */
export function chooseEngine(video: HTMLVideoElement, url: string, listener: EngineListener): Engine | undefined {
  if (hlsEngineWorks()) return new HlsEngine(video, url, listener);
  return nativeEngineWorks(video) ? new NativeEngine(video, url, listener) : undefined;
}
