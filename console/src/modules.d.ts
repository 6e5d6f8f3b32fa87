declare module '*.css';

// The light build is the full API less subtitles, encryption and alternative audio, but its package entry names no types.
declare module 'hls.js/light' {
  export * from 'hls.js';
  export { default } from 'hls.js';
}

declare module '*.svg' {
  const url: string;
  export default url;
}
