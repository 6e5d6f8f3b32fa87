/** Calls somebody's handler. What it throws is the handler's bug and comes out of the event loop, not of the engine that was about to call others. */
export function callOut(call: () => void): void {
  try {
    call();
  } catch (error) {
    process.nextTick(() => {
      throw error;
    });
  }
}
