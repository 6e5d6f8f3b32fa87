export { CLOCK_BAR_CELLS, CLOCK_BAR_HEIGHT, readClockBar } from './clock-bar.ts';
export { DemoSource, type DemoSourceOptions } from './demo-source.ts';
export type { PublisherAudio, PublisherOptions, PublisherVideo } from './publisher-options.ts';
export { type PublisherListener, PublisherProcess } from './publisher-process.ts';
