const DATAGRAMS = /^udp:/i;
const SRT_LISTENER = /^srt:[^?#]*\?(?:[^#]*&)?mode=listener(?:[&#]|$)/i;

/** Whether a source of this URL is opened by waiting for whoever sends to it, rather than by asking somebody. */
export const awaitsSender = (url: string): boolean => DATAGRAMS.test(url) || SRT_LISTENER.test(url);
