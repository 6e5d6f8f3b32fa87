// Beats at an even pace, also while the page is out of sight: browsers slow the timers of hidden pages down, not those of workers.
// It is told the interval in milliseconds and ends with its page.
addEventListener('message', ({ data }: MessageEvent<number>) => {
  const intervalMs = data;
  const startMs = performance.now();
  let beats = 0;
  const beat = (): void => {
    postMessage(0);
    const nowMs = performance.now();
    // Beats that were missed are left out, so that a busy computer is not made busier.
    beats = Math.max(beats + 1, Math.floor((nowMs - startMs) / intervalMs) + 1);
    setTimeout(beat, Math.max(0, startMs + beats * intervalMs - nowMs));
  };
  beat();
});
